"""Merging clients at Invoice Ninja: what leaves, and what is believed of the answer."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from app.errors import AnswerLost, Gone, Rejected
from app.providers.invoice_ninja.clients import Clients
from app.providers.invoice_ninja.merging import ClientMerger
from tests.providers.invoice_ninja.recordings import answer, client, page

SURVIVOR, OTHER = "VolejRejNm", "wMvbmOeYAl"
PATH = f"/clients/{SURVIVOR}/{OTHER}/merge"


@pytest.fixture
def merger(account: Clients) -> ClientMerger:
    return ClientMerger(account.wire, {**account.data, "currencies": {"1": "USD", "3": "EUR"}, "currency_id": "3"})


async def test_the_password_goes_along_with_the_merge_and_with_nothing_else(
    merger: ClientMerger, ninja: respx.MockRouter
) -> None:
    route = ninja.post(PATH).mock(answer("clients_merge"))
    survivor = await merger.merge(SURVIVOR, OTHER, "pa55word")
    assert route.calls.last.request.headers["X-API-PASSWORD"] == "pa55word"
    assert survivor.id == SURVIVOR
    assert {each.values["email"] for each in survivor.parts} == {
        "jane@acme.example",
        "a@acme.example",
        "b@acme.example",
    }
    invoices = ninja.get("/invoices").mock(httpx.Response(200, json=page()))
    await merger.invoices(SURVIVOR)
    assert "X-API-PASSWORD" not in invoices.calls.last.request.headers
    assert "pa55word" not in repr(merger)


async def test_a_wrong_password_is_told_in_the_vendors_words(merger: ClientMerger, ninja: respx.MockRouter) -> None:
    ninja.post(PATH).mock(answer("clients_purge_no_password"))
    with pytest.raises(Rejected, match="Invalid Password") as refused:
        await merger.merge(SURVIVOR, OTHER, "wrong")
    assert not isinstance(refused.value, AnswerLost)


async def test_nothing_leaves_without_a_password_or_for_what_is_no_id(
    merger: ClientMerger, ninja: respx.MockRouter
) -> None:
    with pytest.raises(Rejected, match="password"):
        await merger.merge(SURVIVOR, OTHER, "")
    for survivor, other in ((SURVIVOR, ".."), ("", OTHER), (SURVIVOR, "a/b")):
        with pytest.raises(Gone):
            await merger.merge(survivor, other, "pa55word")
    assert not ninja.calls


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, json={"data": {**client("clients_merge"), "id": OTHER}}),
        httpx.Response(200, json={"data": {}}),
        httpx.Response(500, json={"message": "Server Error"}),
    ],
)
async def test_an_answer_that_does_not_say_what_was_done_is_a_lost_one(
    merger: ClientMerger, ninja: respx.MockRouter, reply: httpx.Response
) -> None:
    ninja.post(PATH).mock(reply)
    with pytest.raises(AnswerLost):
        await merger.merge(SURVIVOR, OTHER, "pa55word")


async def test_invoices_are_counted_with_one_call_and_not_those_of_others(
    merger: ClientMerger, ninja: respx.MockRouter
) -> None:
    found: dict[str, Any] = page({"client_id": SURVIVOR})
    found["meta"]["pagination"]["total"] = 42
    route = ninja.get("/invoices").mock(httpx.Response(200, json=found))
    assert await merger.invoices(SURVIVOR) == 42
    assert route.call_count == 1
    assert dict(route.calls.last.request.url.params)["per_page"] == "1"
    ninja.get("/invoices").mock(httpx.Response(200, json=page({"client_id": OTHER})))
    with pytest.raises(Rejected):
        await merger.invoices(SURVIVOR)


async def test_the_money_of_a_client_is_what_it_says_in_its_own_currency_or_the_companys(
    account: Clients, merger: ClientMerger, ninja: respx.MockRouter
) -> None:
    raw = {**client("clients_get"), "balance": 12.5, "paid_to_date": 100, "settings": {"currency_id": "1"}}
    ninja.get(f"/clients/{SURVIVOR}").mock(httpx.Response(200, json={"data": raw}))
    money = merger.money(await account.fetch(SURVIVOR))
    assert money is not None
    assert (money.balance, money.paid_to_date, money.currency) == (Decimal("12.5"), Decimal(100), "USD")
    ninja.get(f"/clients/{SURVIVOR}").mock(httpx.Response(200, json={"data": {**raw, "settings": {}}}))
    own = merger.money(await account.fetch(SURVIVOR))
    assert own is not None
    assert own.currency == "EUR"
