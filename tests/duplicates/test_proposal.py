"""Which record survives by proposal, by the first rule in which it is ahead; and the warnings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.duplicates.proposal import Member, Partner, propose, warnings
from app.sync.records import Side

PARTNER = (Partner(link_id=1, object="contact", id="x", state="ok"),)
MONEY = {"balance": "0", "paid_to_date": "10.00", "currency": "EUR"}


def member(id_: str, **more: Any) -> Member:
    plain: dict[str, Any] = dict.fromkeys(("name", "company", "email", "phone", "city"), "")
    young = datetime(2026, 2, 1, tzinfo=UTC)
    given = {"filled": 1, "money": None, "created_at": young, "updated_at": young, **plain, **more}
    return Member(id=id_, **given)


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        ({"partners": PARTNER, "invoices": 1}, {"invoices": 9}, "it is linked, and has invoices or payments"),
        ({"money": MONEY}, {"partners": PARTNER, "filled": 9}, "it has invoices or payments"),
        ({"invoices": 1}, {"invoices": 0, "filled": 9}, "it has invoices or payments"),
        ({"partners": PARTNER}, {"filled": 9}, "it is linked"),
        ({"filled": 2}, {"created_at": datetime(2020, 1, 1, tzinfo=UTC)}, "more of its fields are filled in"),
        ({"created_at": datetime(2020, 1, 1, tzinfo=UTC)}, {}, "it is the oldest"),
        ({}, {"created_at": None}, "it is the oldest"),
        ({}, {}, "they are alike; it was read first"),
    ],
)
def test_the_first_rule_in_which_one_is_ahead_decides(
    better: dict[str, Any], worse: dict[str, Any], reason: str
) -> None:
    one, two = member("better", **better), member("worse", **worse)
    assert (propose([one, two]).survivor, propose([one, two]).reason) == ("better", reason)
    if better != worse:
        assert propose([two, one]).survivor == "better"


def test_what_people_must_know() -> None:
    other = (Partner(link_id=2, object="contact", id="y", state="ok"),)
    one = member("a", money=MONEY, partners=PARTNER)
    two = member("b", money={**MONEY, "currency": "USD"}, partners=other)
    currencies, partners, gone = warnings([one, two], Side.BILLING, merges=True)
    assert "(a: EUR, b: USD)" in currencies
    assert "(x, y)" in partners
    assert "client that is merged into the survivor is gone for good" in gone
    assert warnings([one, member("c", partners=PARTNER)], Side.CRM, merges=False) == []
