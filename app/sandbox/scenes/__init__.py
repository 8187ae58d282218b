"""The scenes of the demo's story, in their order."""

from app.sandbox.scenes import people, tasks
from app.sandbox.story import Step

SCENES: tuple[tuple[str, Step], ...] = (
    ("A contact created in HighLevel becomes a client in Invoice Ninja", people.created),
    ("Both sides edit different fields at the same moment, and both edits survive", people.both_edit),
    ("The echo of our own write is silent", people.echo),
    ("The same webhook twice is one client", people.twice),
    ("A client made in Invoice Ninja becomes a contact in HighLevel", people.other_way),
    ("A task is completed in HighLevel, and done in Invoice Ninja", tasks.task_completed),
    ("Invoice Ninja answers 500 for a while, and the change arrives after", people.vendor_down),
)
