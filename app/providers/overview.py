"""What two providers keep in step, as the table that the README shows."""

from app.providers.base import Provider, Support
from app.sync.objects import OBJECTS
from app.sync.records import Side


def what_syncs(crm: Provider, billing: Provider) -> str:
    """A Markdown table with a line for each object, and below it what a provider cannot do, and why."""
    lines = [
        f"| object | {crm.label} → {billing.label} | {billing.label} → {crm.label} | setting, and its default |",
        "|---|---|---|---|",
    ]
    for each in OBJECTS.values():
        words = [each.becomes.get(side, "–") for side in (Side.BILLING, Side.CRM)]
        default = "on" if each.settings().enabled else "off"
        lines.append(f"| {each.plural} | {' | '.join(words)} | `{each.name}`: {default} |")
    notes = [
        f"- {provider.label}, {name}: {capability.reason}."
        for provider in (crm, billing)
        for name, capability in provider.capabilities.items()
        if capability.reason and (capability.support is not Support.NONE or name not in OBJECTS)
    ]
    unlisted = [
        f"- {provider.label}, {name}: {capability.unlisted}."
        for provider in (crm, billing)
        for name, capability in provider.capabilities.items()
        if capability.unlisted
    ]
    limits = ["", "Limits that the systems themselves have:", "", *notes]
    return "\n".join([*lines, *limits, "", "What no sweep goes through, and why:", "", *unlisted])
