"""The README's table of what syncs is the one that the code's own tables make."""

from pathlib import Path

import pytest

from app.providers.base import Provider, Support
from app.providers.highlevel import api as highlevel
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja import api as invoice_ninja
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.providers.overview import what_syncs
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- made by `crossledger objects` -->", "<!-- end of what `crossledger objects` makes -->"


def test_the_readme_shows_the_table() -> None:
    shown = README.read_text().partition(START)[2].partition(END)[0].strip()
    assert shown == what_syncs(HighLevel(), InvoiceNinja()), "put the output of `crossledger objects` into the README"


@pytest.mark.parametrize(
    ("provider", "objects"), [(HighLevel(), highlevel.OBJECTS), (InvoiceNinja(), invoice_ninja.OBJECTS)]
)
def test_a_provider_says_that_it_can_what_it_has_records_for(provider: Provider, objects: dict[str, object]) -> None:
    can = {name for name, capability in provider.capabilities.items() if capability.support is not Support.NONE}
    assert can & OBJECTS.keys() == objects.keys()


def test_every_object_has_settings_and_goes_somewhere() -> None:
    for name, each in OBJECTS.items():
        assert type(BridgeSettings().of(name)) is each.settings
        assert each.becomes
        assert name == each.name
