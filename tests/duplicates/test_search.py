"""The search: what belongs together is found on either side, and nothing is done about it."""

from typing import Any

import pytest

from tests.conftest import World
from tests.duplicates.conftest import begin, client, ended, ids, search, shown

ACME = {"name": "Acme Ltd.", "postal_code": "N1 1AA"}


async def test_each_key_joins_clients_and_says_so(still: World) -> None:
    pairs = {
        "email": [await client(still, "A", "Jane@Acme.example"), await client(still, "B", "jane@acme.example")],
        "name_postcode": [
            await client(still, "Bob & Sons, Ltd", postal_code="AB1 2cd"),
            await client(still, "bob sons ltd.", postal_code="ab12CD"),
        ],
        "vat": [await client(still, "C", vat_number="GB 123 456"), await client(still, "D", vat_number="gb123456")],
        "phone": [
            await client(still, "E", phone="+44 20 7946 0958"),
            await client(still, "F", phone="020 7946 0958", country_id="826"),
        ],
    }
    found = await search(still, side="billing")
    assert {each["keys"][0]["kind"]: ids(each) for each in found} == {kind: set(both) for kind, both in pairs.items()}
    words = {each["keys"][0]["words"] for each in found}
    assert words == {
        "the same e-mail address: jane@acme.example",
        "the same name and postcode: bob sons ltd, ab12cd",
        "the same VAT number: GB123456",
        "the same phone number: +442079460958",
    }


async def test_contacts_of_the_crm_are_found_as_well(still: World) -> None:
    one = await still.add_contact(firstName="Jane", email="jane@acme.example", phone="+442079460958")
    two = await still.add_contact(firstName="Janet", email="other@acme.example", phone="+44 20 7946 0958")
    colleague = {"companyName": "Acme", "postalCode": "N1 1AA"}
    await still.add_contact(firstName="Ann", lastName="Lee", email="ann@acme.example", **colleague)
    await still.add_contact(firstName="Bob", lastName="Lee", email="bob@acme.example", **colleague)
    (cluster,) = await search(still)
    assert (cluster["side"], ids(cluster)) == ("crm", {one, two})
    assert {each["name"] for each in cluster["members"]} == {"Jane", "Janet"}


async def test_what_is_joined_by_another_is_one_cluster(still: World) -> None:
    """A to B by e-mail, B to C by VAT number, C to D by phone; and a long chain to its end."""
    a = await client(still, "A", "x@acme.example")
    b = await client(still, "B", "x@acme.example", vat_number="GB123456")
    c = await client(still, "C", vat_number="GB123456", phone="+442079460958")
    d = await client(still, "D", phone="+442079460958")
    chain = [await client(still, f"L{n}", f"l{n}@chain.example", f"l{n + 1}@chain.example") for n in range(30)]
    found = await search(still, side="billing")
    assert [ids(each) for each in found] == [set(chain), {a, b, c, d}]
    assert {each["kind"] for each in found[1]["keys"]} == {"email", "vat", "phone"}


async def test_every_person_of_a_client_is_a_key_of_it(still: World) -> None:
    one = await client(still, "Acme", "office@acme.example", "jane@acme.example")
    two = await client(still, "Jane Doe", "jane@acme.example")
    (cluster,) = await search(still)
    assert ids(cluster) == {one, two}


async def test_what_too_many_share_is_named_and_joins_nothing(still: World) -> None:
    for number in range(4):
        await client(still, f"N{number}", f"n{number}@acme.example", phone="+442079460958")
    one = await client(still, "One", "same@acme.example", phone="+442079460958")
    two = await client(still, "Two", "same@acme.example", phone="+442079460958")
    (cluster,) = await search(still, side="billing", common_above=5)
    assert ids(cluster) == {one, two}
    assert [each["kind"] for each in cluster["keys"]] == ["email"]
    outcome = (await still.admin.get(f"/api/v1/bridges/{still.bridge_id}/duplicates")).json()
    assert outcome["open"] == {"crm": 0, "billing": 1}
    (common,) = outcome["too_common"]
    assert (common["kind"], common["key"], common["records"]) == ("phone", "+442079460958", 6)
    (cluster,) = await search(still, side="billing", common_above=6)
    assert len(ids(cluster)) == 6


@pytest.mark.parametrize(
    "same",
    [
        {"contacts": [{"email": "noreply@acme.example"}]},
        {"contacts": [{"email": "no-email@acme.example"}]},
        {"contacts": [{"email": "jane@example.com"}]},
        {"contacts": [{"email": ""}]},
        {"phone": "0000000000", "country_id": "840"},
        {"phone": "n/a"},
        {"vat_number": "none"},
        {"vat_number": "000000"},
        {"name": "Acme"},
        {"postal_code": "N1 1AA"},
    ],
)
async def test_placeholders_and_half_a_key_join_nothing(still: World, same: dict[str, Any]) -> None:
    for number in range(2):
        await still.add_client(**{"name": f"Client {number}", **same})
    assert await search(still) == []


async def test_archived_and_deleted_records_are_left_out(still: World) -> None:
    left = await client(still, "A", "jane@acme.example")
    for action in ("archive", "delete"):
        gone = await client(still, action, "jane@acme.example")
        await still.ninja.post("/api/v1/clients/bulk", json={"action": action, "ids": [gone]})
    assert await search(still) == []
    twin = await client(still, "B", "jane@acme.example")
    (cluster,) = await search(still)
    assert ids(cluster) == {left, twin}


async def test_a_search_writes_to_nobody_and_merges_nothing(still: World) -> None:
    await client(still, "A", "jane@acme.example")
    await client(still, "B", "jane@acme.example")
    await still.forget_calls()
    (cluster,) = await search(still)
    await shown(still, cluster)
    assert await still.calls(still.ninja, "POST") + await still.calls(still.ninja, "PUT") == []
    assert {each["path"] for each in await still.calls(still.highlevel, "POST")} == {"/contacts/search"}
    assert len(await still.clients()) == 2


async def test_a_new_search_takes_the_place_of_the_one_before(still: World) -> None:
    one = await client(still, "A", "jane@acme.example")
    await client(still, "B", "jane@acme.example")
    (first,) = await search(still)
    await still.edit_client(one, contacts=[{"email": "other@acme.example"}])
    await still.add_contact(firstName="Jane", phone="+442079460958")
    await still.add_contact(firstName="Janet", phone="+442079460958")
    assert [each["id"] for each in await search(still, side="crm")][-1] == first["id"], "billing was not searched"
    (left,) = await search(still)
    assert left["side"] == "crm"
    assert (await still.admin.get(f"/api/v1/duplicates/{first['id']}")).status_code == 404


async def test_what_was_dismissed_stays_dismissed_until_another_record_joins(still: World) -> None:
    three = [await client(still, name, "jane@acme.example") for name in "ABC"]
    (cluster,) = await search(still)
    path = f"/api/v1/duplicates/{cluster['id']}"
    answer = await still.admin.post(f"{path}/dismiss")
    assert (answer.status_code, answer.json()["state"]) == (200, "dismissed")
    assert (await still.admin.post(f"{path}/dismiss")).status_code == 409
    (again,) = await search(still)
    assert (again["state"], again["actor"]) == ("dismissed", cluster["actor"] or answer.json()["actor"])
    await still.ninja.post("/api/v1/clients/bulk", json={"action": "archive", "ids": [three[0]]})
    (fewer,) = await search(still)
    assert (fewer["state"], ids(fewer)) == ("dismissed", set(three[1:]))
    fourth = await client(still, "D", "jane@acme.example")
    (more,) = await search(still)
    assert (more["state"], ids(more)) == ("open", {*three[1:], fourth})
    await still.ninja.post("/api/v1/clients/bulk", json={"action": "archive", "ids": [fourth]})
    (fewer,) = await search(still)
    assert (await still.admin.post(f"/api/v1/duplicates/{fewer['id']}/reopen")).json()["state"] == "open"
    (last,) = await search(still)
    assert last["state"] == "open"


async def test_one_search_of_a_bridge_at_a_time_and_of_no_other(still: World) -> None:
    await still.fault(still.ninja, kind="status", status=503, method="GET", path="clients")
    run_id = await begin(still)
    answer = await still.admin.post(f"/api/v1/bridges/{still.bridge_id}/duplicates", json={})
    assert (answer.status_code, answer.json()["detail"].split(":")[0]) == (
        422,
        "A duplicates of this bridge is under way",
    )
    assert (await still.admin.post("/api/v1/bridges/999/duplicates", json={})).status_code == 404
    await still.mend()
    await ended(still, run_id)
