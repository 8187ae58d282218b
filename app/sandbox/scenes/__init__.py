"""The scenes of the demo's story, in their order."""

from app.sandbox.scenes import businesses, money, notes, people, tags, tasks, trust
from app.sandbox.story import Step

SCENES: tuple[tuple[str, Step], ...] = (
    ("Before anything is written, a plan says what would be", trust.planned),
    ("One record is tried, then the plan is applied, and the bridge goes live", trust.applied),
    ("A contact created in HighLevel becomes a client in Invoice Ninja", people.created),
    ("Both sides edit different fields at the same moment, and both edits survive", people.both_edit),
    ("The echo of our own write is silent", people.echo),
    ("The same webhook twice is one client", people.twice),
    ("A client made in Invoice Ninja becomes a contact in HighLevel", people.other_way),
    ("A tag added in HighLevel shows at the client", tags.added),
    ("A task is completed in HighLevel, and done in Invoice Ninja", tasks.task_completed),
    ("A note written in HighLevel is in the client's activity", notes.written),
    ("A business with two contacts becomes one client with two contacts", businesses.with_two_contacts),
    ("An opportunity that is won becomes a draft invoice", money.won),
    ("The invoice is paid, and HighLevel knows: a note, a tag, the balance", money.paid),
    ("Invoice Ninja answers 500 for a while, and the change arrives after", people.vendor_down),
    ("All webhooks are lost for a while; a sweep finds what they had to tell", trust.webhooks_lost),
    ("Both sides change the same field, and a person decides", trust.conflict),
    ("What was written is taken back, but for what a person has changed since", trust.undone),
)
