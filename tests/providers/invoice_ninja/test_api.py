import json
from typing import Any

import pytest
import respx

from app.errors import AnswerLost, Forbidden, Gone, Reconnect, Rejected, Unsupported
from app.providers.base import KeyKind, MatchKey
from app.providers.invoice_ninja.api import InvoiceNinjaAccount
from app.providers.invoice_ninja.clients import Clients
from app.sync.objects import ContactSettings
from app.sync.records import Presence
from tests.providers.invoice_ninja.conftest import OpenGate
from tests.providers.invoice_ninja.recordings import answer, client, page

ACME, JANE, BOB = "VolejRejNm", "VolejRejNm", "Wpmbk5ezJn"
SLOT = MatchKey(KeyKind.SLOT, "ghl_contact_id:abc123")


def sent(route: respx.Route) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(route.calls.last.request.content)
    return body


async def test_a_client_is_fetched_by_its_id(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    record = await account.fetch(ACME)
    assert (record.id, record.part, record.values["country"]) == (ACME, JANE, "GB")


async def test_a_client_is_fetched_for_one_of_its_contacts(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    assert (await account.fetch(ACME, part=BOB)).values["email"] == "bob@acme.example"


async def test_a_deleted_client_is_fetched_as_deleted(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get("/clients/k8mep2bMyJ").mock(answer("clients_get_deleted"))
    assert (await account.fetch("k8mep2bMyJ")).presence is Presence.DELETED


async def test_issue_intercom_openapi_454_a_purged_or_merged_client_is_gone(
    account: Clients, ninja: respx.MockRouter
) -> None:
    ninja.get("/clients/abcdefghij").mock(answer("errors_entity_not_found"))
    with pytest.raises(Gone):
        await account.fetch("abcdefghij")


@pytest.mark.parametrize(
    "external_id", ["", ".", "..", "../users", "a/b/c", "../users/b", "a/..", "a/", "a?b=1", "a\n"]
)
async def test_only_an_id_becomes_a_part_of_the_url(
    account: Clients, ninja: respx.MockRouter, external_id: str
) -> None:
    with pytest.raises(Gone):
        await account.fetch(external_id)
    assert not ninja.calls


async def test_a_client_is_created_with_its_slot_and_read_from_the_answer(
    account: Clients, ninja: respx.MockRouter
) -> None:
    route = ninja.post("/clients").mock(answer("clients_create"))
    record = await account.create({"name": "Acme Ltd", "email": "jane@acme.example"}, slot="hl_1")
    assert sent(route) == {
        "name": "Acme Ltd",
        "custom_value1": "hl_1",
        "contacts": [{"email": "jane@acme.example"}],
    }
    assert (record.id, record.part) == (ACME, JANE)


async def test_issue_highlevel_api_docs_64_a_create_that_ends_in_500_may_have_made_a_client(
    account: Clients, ninja: respx.MockRouter
) -> None:
    route = ninja.post("/clients").respond(500, json={"message": "Server Error"})
    with pytest.raises(AnswerLost):
        await account.create({"name": "Acme"}, slot="hl_1")
    assert route.call_count == 1


async def test_a_create_without_permission_is_forbidden(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.post("/clients").mock(answer("errors_permission_create_client"))
    with pytest.raises(Forbidden):
        await account.create({"name": "Acme"})


async def test_an_id_number_that_is_taken_is_named(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.post("/clients").mock(answer("clients_error_duplicate_id_number"))
    with pytest.raises(Rejected) as failure:
        await account.create({"name": "X", "id_number": "ghl-abc123"})
    assert failure.value.fields == {"id_number": "The id number has already been taken."}


async def test_an_update_sends_the_change_and_the_settings_as_they_were_read(
    account: Clients, ninja: respx.MockRouter
) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    route = ninja.put(f"/clients/{ACME}").mock(answer("clients_get"))
    current = await account.fetch(ACME)
    await account.update(current, {"name": "Acme Limited"})
    assert sent(route) == {"name": "Acme Limited", "settings": client("clients_get")["settings"]}


async def test_issue_mautic_1602_a_contact_change_replaces_nobody(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    route = ninja.put(f"/clients/{ACME}").mock(answer("clients_get"))
    current = await account.fetch(ACME, part=BOB)
    record = await account.update(current, {"phone": "+15550100999"})
    jane, bob = sent(route)["contacts"]
    assert (jane["id"], jane.keys()) == (JANE, {"id", "is_primary", "send_email"})
    assert (bob["id"], bob["phone"], bob.keys() - jane.keys()) == (BOB, "+15550100999", {"phone"})
    assert record.part == BOB


async def test_an_update_of_nothing_makes_no_call(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    current = await account.fetch(ACME)
    assert await account.update(current, {}, slot=current.slot) is current
    assert ninja.calls.call_count == 1


async def test_an_update_of_a_deleted_client_is_gone(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    ninja.put(f"/clients/{ACME}").mock(answer("clients_update_deleted"))
    current = await account.fetch(ACME)
    with pytest.raises(Gone, match="restored"):
        await account.update(current, {"name": "nope"})


async def archived(account: Clients, ninja: respx.MockRouter, case: str, client_id: str) -> respx.Route:
    ninja.get(f"/clients/{client_id}").respond(json={"data": {**client(), "id": client_id}})
    route = ninja.post("/clients/bulk").mock(answer(case))
    await account.archive(await account.fetch(client_id))
    return route


async def test_a_client_is_archived_in_bulk_alone(account: Clients, ninja: respx.MockRouter) -> None:
    route = await archived(account, ninja, "clients_bulk_archive", "k8mep2bMyJ")
    assert sent(route) == {"action": "archive", "ids": ["k8mep2bMyJ"]}


async def test_an_archiving_that_was_not_done_is_forbidden_although_the_answer_is_200(
    account: Clients, ninja: respx.MockRouter
) -> None:
    """Recorded: bulk without edit permission answers 200 and does nothing."""
    with pytest.raises(Forbidden):
        await archived(account, ninja, "errors_permission_bulk_client", "l4zbq2dprO")


async def test_archiving_a_purged_client_is_gone(account: Clients, ninja: respx.MockRouter) -> None:
    with pytest.raises(Gone):
        await archived(account, ninja, "clients_bulk_bad_id", "purged1234")


async def test_a_client_is_restored(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get("/clients/k8mep2bMyJ").mock(answer("clients_get_deleted"))
    route = ninja.post("/clients/bulk").mock(answer("clients_bulk_restore"))
    await account.restore(await account.fetch("k8mep2bMyJ"))
    assert sent(route)["action"] == "restore"


def test_what_is_not_synced_is_unsupported_with_a_reason(account: Clients) -> None:
    with pytest.raises(Unsupported, match="only these are synced: contact"):
        InvoiceNinjaAccount(account.wire).records("quote", ContactSettings())


def test_the_fields_of_a_contact_have_the_lengths_of_the_columns(account: Clients) -> None:
    specs = account.fields()
    assert specs["name"].max_length == 191
    assert specs["private_notes"].max_length is None
    assert specs["email"].strict


async def test_a_restoring_that_was_not_done_is_forbidden_although_the_answer_is_200(
    account: Clients, ninja: respx.MockRouter
) -> None:
    ninja.get("/clients/k8mep2bMyJ").mock(answer("clients_get_deleted"))
    ninja.post("/clients/bulk").respond(json=page(client("clients_get_deleted")))
    with pytest.raises(Forbidden):
        await account.restore(await account.fetch("k8mep2bMyJ"))


async def test_a_bulk_answer_without_the_client_is_gone(account: Clients, ninja: respx.MockRouter) -> None:
    with pytest.raises(Gone):
        await archived(account, ninja, "clients_bulk_archive", "another123")


async def test_another_refusal_of_a_bulk_call_keeps_its_name(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("clients_get"))
    ninja.post("/clients/bulk").respond(422, json={"errors": {"action": ["The selected action is invalid."]}})
    with pytest.raises(Rejected, match="action is invalid"):
        await account.archive(await account.fetch(ACME))


async def test_a_refused_token_names_the_connection(account: Clients, ninja: respx.MockRouter) -> None:
    ninja.get(f"/clients/{ACME}").mock(answer("errors_invalid_token"))
    with pytest.raises(Reconnect) as failure:
        await account.fetch(ACME)
    assert failure.value.connection == OpenGate.connection_id
