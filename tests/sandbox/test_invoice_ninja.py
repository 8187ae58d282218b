"""The traps of contracts/invoice_ninja that a client has to survive, each shown by the simulator."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.invoice_ninja import Config, create_app
from app.sandbox.processes import Simulator
from tests.sandbox.test_control import Endpoint, serving

SERVICE, HUMAN = "sandbox-ninja-service-token", "sandbox-ninja-human-token"
HEADERS = {"x-api-token": SERVICE, "accept": "application/json"}
JSON = dict[str, Any]


class Ninja:
    """A few words for the tests: `create`, `update`, `get`, `emails`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=HEADERS)

    def create(self, **fields: Any) -> JSON:
        return self._data(self.http.post("/clients", json=fields))

    def update(self, client: JSON, **fields: Any) -> JSON:
        return self._data(self.http.put(f"/clients/{client['id']}", json=fields))

    def get(self, client: JSON) -> JSON:
        return self._data(self.http.get(f"/clients/{client['id']}"))

    def bulk(self, action: str, *clients: JSON) -> None:
        ids = [client["id"] for client in clients]
        assert self.http.post("/clients/bulk", json={"action": action, "ids": ids}).status_code == 200

    def names(self, **query: Any) -> list[str]:
        rows: list[JSON] = self.http.get("/clients", params=query).json()["data"]
        return [row["name"] for row in rows]

    def subscribe(self, url: str, event: int, **fields: Any) -> JSON:
        return self._data(self.http.post("/webhooks", json={"target_url": url, "event_id": event, **fields}))

    def settled(self) -> list[JSON]:
        """The deliveries, once none is under way."""
        for _ in range(300):
            answer = httpx.get(f"{self.url}/_control/deliveries").json()
            if not answer["pending"]:
                found: list[JSON] = answer["deliveries"]
                return found
            time.sleep(0.01)
        raise AssertionError("deliveries are still under way")

    @staticmethod
    def _data(answer: httpx.Response) -> JSON:
        assert answer.status_code == 200, answer.text
        found: JSON = answer.json()["data"]
        return found


def emails(client: JSON) -> list[str]:
    return [contact["email"] for contact in client["contacts"]]


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja", delivery_delay=0) as running:
        yield running


@pytest.fixture
def ninja(process: Simulator) -> Iterator[Ninja]:
    httpx.post(f"{process.url}/_control/reset")
    ninja = Ninja(process.url)
    yield ninja
    ninja.http.close()


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def hook(endpoint: Endpoint) -> Iterator[str]:
    with serving(endpoint.app) as url:
        yield f"{url}/hook"


# --- clients ---------------------------------------------------------------------------------------------------------


def test_an_update_without_settings_resets_the_currency_and_the_terms(ninja: Ninja) -> None:
    client = ninja.create(name="Euro", settings={"currency_id": "3", "payment_terms": "14"})
    assert client["settings"]["currency_id"] == "3"
    assert ninja.update(client, name="Euro Ltd")["settings"] == {"currency_id": "1"}


def test_given_settings_replace_all_others(ninja: Ninja) -> None:
    client = ninja.create(name="Euro", settings={"currency_id": "3", "payment_terms": "14"})
    assert ninja.update(client, settings={"language_id": "3"})["settings"] == {"language_id": "3", "currency_id": "1"}


def test_currency_code_works_on_create_only(ninja: Ninja) -> None:
    client = ninja.create(name="Euro", currency_code="EUR")
    assert client["settings"]["currency_id"] == "3"
    assert ninja.update(client, currency_code="EUR")["settings"]["currency_id"] == "1"


def test_an_unknown_country_code_becomes_the_companys_country(ninja: Ninja) -> None:
    assert ninja.create(name="Britain", country_code="GBR")["country_id"] == "826"
    assert ninja.create(name="Nowhere", country_code="ZZ")["country_id"] == "840"


def test_an_empty_create_makes_a_client_without_name_whose_contact_has_a_space_for_email(ninja: Ninja) -> None:
    client = ninja.create()
    assert (client["name"], client["display_name"], emails(client), client["number"]) == ("", " ", [" "], "0001")


def test_malformed_json_is_an_empty_body(ninja: Ninja) -> None:
    answer = ninja.http.post("/clients", content=b'{"name": "Ac', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "")


def test_html_is_taken_out_of_a_name(ninja: Ninja) -> None:
    assert ninja.create(name="A <b>bold</b> & plain")["name"] == "A bold & plain"


def test_a_long_name_is_stored_cut_while_the_create_answer_shows_all_of_it(ninja: Ninja) -> None:
    client = ninja.create(name="n" * 300, private_notes="p" * 300)
    assert len(client["name"]) == 300
    stored = ninja.get(client)
    assert (len(stored["name"]), len(stored["private_notes"])) == (191, 300)


def test_two_clients_can_take_one_id_number_when_they_are_created_at_once(endpoint: Endpoint) -> None:
    with serving(create_app(Config(create_pause=0.05))) as url:

        async def both() -> list[int]:
            async with httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
                calls = [http.post("/api/v1/clients", json={"id_number": "ghl-1"}) for _ in range(2)]
                return [answer.status_code for answer in await asyncio.gather(*calls)]

        assert asyncio.run(both()) == [200, 200]
        assert httpx.post(f"{url}/api/v1/clients", headers=HEADERS, json={"id_number": "ghl-1"}).status_code == 422


def test_a_null_number_assigns_a_new_one(ninja: Ninja) -> None:
    client = ninja.create(name="A")
    assert ninja.update(client, number=None)["number"] == "0002"


def test_the_read_only_fields_of_a_body_are_ignored_and_a_full_round_trip_changes_nothing(ninja: Ninja) -> None:
    client = ninja.update(ninja.create(name="A", contacts=[{"email": "a@x.example"}]), name="B")
    assert ninja.update(client, **{**client, "balance": 99, "id": "x", "created_at": 1}) == client


# --- contacts --------------------------------------------------------------------------------------------------------


def test_contacts_left_out_of_an_update_stay(ninja: Ninja) -> None:
    client = ninja.create(name="A", contacts=[{"email": "a@x.example"}])
    assert emails(ninja.update(client, name="B")) == ["a@x.example"]


def test_a_given_list_replaces_the_set_and_an_entry_without_id_is_a_new_contact(ninja: Ninja) -> None:
    client = ninja.create(name="A", contacts=[{"email": "a@x.example", "last_name": "Old"}, {"email": "b@x.example"}])
    after = ninja.update(client, contacts=[{"email": "a@x.example"}])
    assert emails(after) == ["a@x.example"]
    assert after["contacts"][0]["id"] != client["contacts"][0]["id"]
    assert after["contacts"][0]["last_name"] == ""


def test_an_entry_with_its_id_is_merged(ninja: Ninja) -> None:
    client = ninja.create(name="A", contacts=[{"email": "a@x.example", "last_name": "Doe"}])
    contact = {"id": client["contacts"][0]["id"], "first_name": "Jane"}
    after = ninja.update(client, contacts=[contact])["contacts"][0]
    assert (after["first_name"], after["last_name"], after["email"]) == ("Jane", "Doe", "a@x.example")


def test_an_empty_list_deletes_all_contacts_and_leaves_a_blank_one(ninja: Ninja) -> None:
    client = ninja.create(name="A", contacts=[{"email": "a@x.example"}])
    assert emails(ninja.update(client, contacts=[])) == [""]


def test_the_contact_id_of_another_client_moves_that_contact(ninja: Ninja) -> None:
    victim = ninja.create(name="Victim", contacts=[{"email": "v@x.example"}])
    thief = ninja.create(name="Thief", contacts=[{"email": "t@x.example"}])
    given = [{"id": thief["contacts"][0]["id"]}, {"id": victim["contacts"][0]["id"]}]
    assert emails(ninja.update(thief, contacts=given)) == ["t@x.example", "v@x.example"]
    assert ninja.get(victim)["contacts"] == []
    assert ninja.names(email="v@x.example") == ["Thief"]


def test_the_flagged_contact_goes_first_and_only_the_first_is_primary(ninja: Ninja) -> None:
    client = ninja.create(contacts=[{"email": "a@x.example"}, {"email": "b@x.example", "is_primary": True}])
    assert [(each["email"], each["is_primary"]) for each in client["contacts"]] == [
        ("b@x.example", True),
        ("a@x.example", False),
    ]


def test_without_any_send_email_the_first_contact_is_forced_to_it(ninja: Ninja) -> None:
    assert ninja.create(contacts=[{"email": "a@x.example", "send_email": False}])["contacts"][0]["send_email"] is True


def test_a_contact_change_touches_the_clients_updated_at() -> None:
    now = 1000.0
    with serving(create_app(Config(clock=lambda: now))) as url:
        ninja = Ninja(url)
        client = ninja.update(ninja.create(name="A"), name="B")
        now = 2000.0
        contacts = [{"id": client["contacts"][0]["id"], "first_name": "New"}]
        after = ninja.update(client, contacts=contacts, settings=client["settings"])
        assert (after["updated_at"], after["contacts"][0]["updated_at"]) == (2000, 2000)
        assert ninja.names(updated_at=1999) == ["B"]
        assert ninja.names(updated_at=2001) == []
        ninja.http.close()


# --- lists -----------------------------------------------------------------------------------------------------------


def test_archived_and_deleted_rows_are_listed_unless_asked_otherwise(ninja: Ninja) -> None:
    _, archived, deleted = (ninja.create(name=name) for name in ("live", "archived", "deleted"))
    ninja.bulk("archive", archived)
    ninja.bulk("delete", deleted)
    assert ninja.names() == ["live", "archived", "deleted"]
    assert ninja.names(status="active") == ["live"]
    assert ninja.names(status="active,archived") == ["live", "archived"]
    assert ninja.names(status="deleted") == ninja.names(is_deleted="1") == ["deleted"]
    assert ninja.names(with_trashed="false") == ["live", "archived"]


def test_is_deleted_true_returns_the_rows_that_are_not(ninja: Ninja) -> None:
    ninja.bulk("delete", ninja.create(name="deleted"))
    ninja.create(name="live")
    assert ninja.names(is_deleted="true") == ["live"]


@pytest.mark.parametrize("query", [{"email": ""}, {"custom_value1": "x"}, {"nonsense": "1"}])
def test_unknown_and_empty_filters_return_everything(ninja: Ninja, query: dict[str, str]) -> None:
    ninja.create(name="A")
    assert ninja.names(**query) == ["A"]


def test_email_is_matched_exactly_without_case_and_follows_a_change(ninja: Ninja) -> None:
    client = ninja.create(name="A", contacts=[{"email": "Jane@Acme.example"}])
    assert ninja.names(email="jane@acme.EXAMPLE") == ["A"]
    assert ninja.names(email="jane@acme.exampl") == []
    ninja.update(client, contacts=[{"email": "new@acme.example"}])
    assert ninja.names(email="jane@acme.example") == []
    assert ninja.names(email="new@acme.example") == ["A"]


def test_paging_quirks(ninja: Ninja) -> None:
    for number in range(17):
        ninja.create(name=f"c{number}")

    def page(**query: Any) -> JSON:
        found: JSON = ninja.http.get("/clients", params=query).json()["meta"]["pagination"]
        return found

    assert page(per_page=0)["per_page"] == 15
    assert page(per_page=-2)["per_page"] == 2
    assert page(per_page=100000)["per_page"] == 5000
    assert page(per_page=5, page=2, name="c")["links"] == {
        "previous": f"{ninja.url}/api/v1/clients?page=1",
        "next": f"{ninja.url}/api/v1/clients?page=3",
    }
    assert (page(page=99)["count"], page(page=99)["total"]) == (0, 17)


# --- errors ----------------------------------------------------------------------------------------------------------


def test_a_validation_error_is_a_redirect_when_the_request_does_not_look_like_an_api_call(ninja: Ninja) -> None:
    plain = {"x-api-token": SERVICE, "accept": "*/*"}
    with httpx.Client(base_url=f"{ninja.url}/api/v1", headers=plain) as http:
        answer = http.post("/clients", json={"contacts": "x"})
        assert (answer.status_code, answer.headers["location"].rstrip("/")) == (302, ninja.url)
        asked = http.post("/clients", json={"contacts": "x"}, headers={"x-requested-with": "XMLHttpRequest"})
        assert asked.status_code == 422


def test_a_token_that_is_not_allowed_gets_401_and_empty_lists_and_a_bulk_call_that_does_nothing(ninja: Ninja) -> None:
    client = ninja.create(name="A")
    restricted = {"x-api-token": "sandbox-ninja-restricted-token"}
    assert ninja.http.post("/clients", json={}, headers=restricted).status_code == 401
    assert ninja.http.get("/payments", headers=restricted).json()["data"] == []
    asked = {"action": "archive", "ids": [client["id"]]}
    assert ninja.http.post("/clients/bulk", json=asked, headers=restricted).status_code == 200
    assert ninja.get(client)["archived_at"] == 0


def test_a_purge_needs_the_password_once_and_then_it_stays_unlocked(ninja: Ninja) -> None:
    first, second = ninja.create(name="A"), ninja.create(name="B")
    assert ninja.http.post(f"/clients/{first['id']}/purge").status_code == 412
    password = {"x-api-password": "sandbox-password"}
    assert ninja.http.post(f"/clients/{first['id']}/purge", headers=password).status_code == 200
    assert ninja.http.post(f"/clients/{second['id']}/purge").status_code == 200
    assert ninja.http.get(f"/clients/{first['id']}").status_code == 400


def test_merge_moves_the_contacts_and_the_other_client_is_gone(ninja: Ninja) -> None:
    kept = ninja.create(name="Kept", contacts=[{"email": "k@x.example"}])
    other = ninja.create(name="Other", contacts=[{"email": "o@x.example"}])
    password = {"x-api-password": "sandbox-password"}
    ninja.http.post(f"/clients/{kept['id']}/{other['id']}/merge", headers=password)
    assert sorted(emails(ninja.get(kept))) == ["k@x.example", "o@x.example"]
    assert ninja.names(email="o@x.example") == ["Kept"]
    assert ninja.http.get(f"/clients/{other['id']}").status_code == 400


def test_a_login_wants_secret_password_and_code_and_opens_every_company() -> None:
    config = Config(other_companies={"second": "Second Ltd"}, one_time_password="123456", api_secret="s")
    right = {"email": config.email, "password": config.password, "one_time_password": "123456"}
    with serving(create_app(config)) as url, httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as http:

        def login(sent: str = "s", **changed: str) -> httpx.Response:
            return http.post("/login", json={**right, **changed}, headers={"x-api-secret": sent})

        assert login(sent="x").json() == {"message": "Invalid secret", "errors": {}}
        assert login(password="x").json() == {"message": "These credentials do not match our records"}
        assert login(one_time_password="x").json() == {"message": "Invalid one time password"}
        rows = login().json()["data"]
        assert [row["company"]["company_key"] for row in rows] == ["sandbox-company-key", "second"]
        for row in rows:
            own = http.post("/companies/current", headers={"x-api-token": row["token"]["token"]}).json()["data"]
            assert own == row["company"]


def test_refresh_says_who_the_tokens_user_is_and_what_it_may_do(ninja: Ninja) -> None:
    for token, permissions in ((SERVICE, ""), ("sandbox-ninja-clerk-token", "create_all,edit_client")):
        [row] = ninja.http.post("/refresh", headers={"x-api-token": token}).json()["data"]
        assert (row["permissions"], row["is_admin"], row["token"]["token"]) == (permissions, not permissions, token)


def test_delete_only_archives_a_subscription_and_bulk_deletes_it(ninja: Ninja) -> None:
    """Recorded: webhooks_api/delete."""
    hook = ninja.subscribe("http://127.0.0.1:9/", 1)
    gone = ninja.http.delete(f"/webhooks/{hook['id']}").json()["data"]
    assert (gone["is_deleted"], gone["archived_at"] > 0) == (False, True)
    ninja.http.post("/webhooks/bulk", json={"action": "delete", "ids": [hook["id"]]})
    assert ninja.http.get(f"/webhooks/{hook['id']}").json()["data"]["is_deleted"] is True


def test_requests_are_told_apart_by_their_token(ninja: Ninja) -> None:
    ninja.http.get("/ping")
    ninja.http.get("/ping", headers={"x-api-token": HUMAN})
    for label in ("service", "human"):
        counts = httpx.get(f"{ninja.url}/_control/counts", params={"token": label}).json()
        assert counts == {"GET /api/v1/ping": 1}


def test_an_injected_created_anyway_leaves_the_client_behind(ninja: Ninja) -> None:
    httpx.post(f"{ninja.url}/_control/faults", json={"kind": "created_anyway", "method": "POST", "times": 1})
    assert ninja.http.post("/clients", json={"name": "Ghost"}).status_code == 422
    assert ninja.names() == ["Ghost"]


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_a_delivery_is_the_bare_entity_with_the_subscriptions_headers_and_no_signature(
    ninja: Ninja, endpoint: Endpoint, hook: str
) -> None:
    ninja.subscribe(hook, 1, headers={"X-Hook-Secret": "s3cr3t"})
    client = ninja.create(name="A/B")
    ninja.settled()
    assert json.loads(endpoint.bodies[0]) == client
    assert '"A\\/B"' in endpoint.bodies[0]
    headers = endpoint.headers[0]
    assert (headers["x-hook-secret"], headers["user-agent"]) == ("s3cr3t", "GuzzleHttp/7")
    assert set(headers) == {"host", "accept", "x-hook-secret", "user-agent", "content-type", "content-length"}


def test_client_events_fire_as_recorded_and_a_contact_change_alone_fires_nothing(
    ninja: Ninja, endpoint: Endpoint, hook: str
) -> None:
    for event in (1, 10, 11, 37, 45):
        ninja.subscribe(hook, event)
    client = ninja.create(name="A")
    client = ninja.update(client, name="B")
    contact = {"id": client["contacts"][0]["id"], "first_name": "C"}
    ninja.update(client, contacts=[contact], settings=client["settings"])
    ninja.update(client, name="B")
    for action in ("archive", "restore", "delete", "restore"):
        ninja.bulk(action, client)
    assert [each["event"] for each in ninja.settled()] == ["1", "10", "37", "45", "11", "45"]


def test_the_body_shows_the_entity_as_it_is_when_sent(endpoint: Endpoint, hook: str) -> None:
    with serving(create_app(Config(delivery_delay=0.15))) as url:
        ninja = Ninja(url)
        ninja.subscribe(hook, 1)
        ninja.update(ninja.create(name="old"), name="new")
        ninja.settled()
        ninja.http.close()
    assert json.loads(endpoint.bodies[0])["name"] == "new"


@pytest.mark.parametrize("status", [404, 405, 410])
def test_one_such_answer_archives_the_subscription(ninja: Ninja, endpoint: Endpoint, hook: str, status: int) -> None:
    subscription = ninja.subscribe(hook, 1)
    endpoint.statuses = [status]
    ninja.create()
    ninja.settled()
    row = ninja.http.get(f"/webhooks/{subscription['id']}").json()["data"]
    assert (row["archived_at"] > 0, row["is_deleted"]) == (True, False)
    ninja.create()
    assert len(ninja.settled()) == 1
    ninja.http.post("/webhooks/bulk", json={"action": "restore", "ids": [subscription["id"]]})
    ninja.create()
    assert len(ninja.settled()) == 2


def test_any_other_failure_is_neither_retried_nor_held_against_the_subscription(
    ninja: Ninja, endpoint: Endpoint, hook: str
) -> None:
    ninja.subscribe(hook, 1)
    endpoint.statuses = [500]
    ninja.create()
    assert [(each["status"], each["attempt"]) for each in ninja.settled()] == [(500, 1)]
    ninja.create()
    assert len(ninja.settled()) == 2


def test_a_list_of_headers_silences_a_subscription_and_a_string_is_never_sent(
    ninja: Ninja, endpoint: Endpoint, hook: str
) -> None:
    ninja.subscribe(hook, 1, headers=[{"X-A": "1"}])
    ninja.subscribe(hook, 1, headers='{"X-A":"1"}')
    ninja.create()
    assert len(ninja.settled()) == 1
    assert "x-a" not in endpoint.headers[0]


def test_a_retry_sends_one_entity_now(ninja: Ninja, endpoint: Endpoint, hook: str) -> None:
    client = ninja.create(name="A")
    subscription = ninja.subscribe(hook, 10, rest_method="put")
    asked = {"entity": "client", "entity_id": client["id"]}
    assert ninja.http.post(f"/webhooks/{subscription['id']}/retry", json=asked).status_code == 200
    assert json.loads(endpoint.bodies[0])["id"] == client["id"]


def test_in_sync_mode_the_delivery_happens_inside_the_call_before_contacts_and_number_exist(
    endpoint: Endpoint, hook: str
) -> None:
    with serving(create_app(Config(queue="sync"))) as url:
        ninja = Ninja(url)
        ninja.subscribe(hook, 1)
        ninja.create(name="A", contacts=[{"email": "a@x.example"}])
        early = json.loads(endpoint.bodies[0])  # already there: nothing was waited for
        ninja.http.close()
    assert (early["name"], early["contacts"], early["number"]) == ("A", [], "")


# --- billing and tasks -----------------------------------------------------------------------------------------------


@pytest.fixture
def invoice(ninja: Ninja) -> Callable[..., JSON]:
    client = ninja.create(name="A", contacts=[{"email": "a@x.example"}])

    def make(cost: float, query: str = "", **fields: Any) -> JSON:
        body = {"client_id": client["id"], "line_items": [{"quantity": 1, "cost": cost}], **fields}
        found: JSON = ninja.http.post(f"/invoices{query}", json=body).json()["data"]
        return found

    return make


def test_a_draft_has_no_balance_until_it_is_sent(invoice: Callable[..., JSON]) -> None:
    draft, sent = invoice(50), invoice(50, "?mark_sent=true")
    assert (draft["amount"], draft["balance"], draft["status_id"]) == (50, 0, "1")
    assert (sent["balance"], sent["status_id"]) == (50, "2")


def test_a_discount_is_an_amount_unless_the_invoice_says_otherwise(invoice: Callable[..., JSON]) -> None:
    assert invoice(100, discount=5)["amount"] == 95
    assert invoice(200, discount=5, is_amount_discount=False)["amount"] == 190
    line = {"quantity": 1, "cost": 50, "discount": 10, "is_amount_discount": False}
    assert invoice(0, line_items=[line])["amount"] == 40
    assert invoice(0, line_items=[line], is_amount_discount=False)["amount"] == 45


def test_a_deleted_invoice_frees_its_number(ninja: Ninja, invoice: Callable[..., JSON]) -> None:
    first = invoice(5, number="INV-1")
    ninja.http.delete(f"/invoices/{first['id']}")
    assert ninja.http.get(f"/invoices/{first['id']}").json()["data"]["number"] == "INV-1_Deleted"
    assert invoice(6, number="INV-1")["number"] == "INV-1"


def test_a_payment_moves_the_invoice_and_a_refund_moves_it_back(ninja: Ninja, invoice: Callable[..., JSON]) -> None:
    bill = invoice(100, "?mark_sent=true")
    parts = [{"invoice_id": bill["id"], "amount": 100}]
    body = {"client_id": bill["client_id"], "amount": 100, "invoices": parts, "idempotency_key": "k1"}
    payment = ninja.http.post("/payments", json=body).json()["data"]

    def state() -> tuple[str, float]:
        row = ninja.http.get(f"/invoices/{bill['id']}").json()["data"]
        return row["status_id"], row["balance"]

    assert (payment["applied"], *state()) == (100, "4", 0)
    assert ninja.http.post("/payments", json={**body, "amount": 7, "invoices": []}).status_code == 422
    back = {"id": payment["id"], "invoices": [{"invoice_id": bill["id"], "amount": 40}]}
    refunded = ninja.http.post("/payments/refund", json=back).json()["data"]
    assert (refunded["refunded"], refunded["paymentables"][0]["refunded"], *state()) == (40, 0, "3", 40)
    ninja.http.delete(f"/payments/{payment['id']}")
    assert state() == ("2", 100)


def test_equal_payments_within_a_second_are_refused(ninja: Ninja) -> None:
    client = ninja.create(name="A")
    answers = [ninja.http.post("/payments", json={"client_id": client["id"], "amount": 5}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 400]


def test_a_task_update_without_time_log_and_number_wipes_the_one_and_changes_the_other(ninja: Ninja) -> None:
    task = ninja.http.post("/tasks", json={"description": "x", "time_log": "[[10,20]]"}).json()["data"]
    after = ninja.http.put(f"/tasks/{task['id']}", json={"description": "y"}).json()["data"]
    assert (task["time_log"], task["number"]) == ("[[10,20]]", "0001")
    assert (after["time_log"], after["number"]) == ("[]", "0002")


# --- the process -----------------------------------------------------------------------------------------------------


def test_a_simulator_ends_when_its_stdin_closes() -> None:
    running = Simulator.start("invoice-ninja", queue="sync")
    assert httpx.get(f"{running.url}/api/v1/health_check", headers=HEADERS).json()["queue"] == "sync"
    running.stop()
    assert running.process.returncode == 0


def test_a_simulator_without_a_pipe_for_stdin_runs_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-m", "app.sandbox", "invoice-ninja"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        assert httpx.get(f"{url}/api/v1/ping", headers=HEADERS).status_code == 200
        running.terminate()
        assert running.wait(5) == -signal.SIGTERM


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(RuntimeError, match="before it could serve"):
        Simulator.start("invoice-ninja", colour="red")


@pytest.fixture
async def many(process: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{process.url}/api/v1", headers=HEADERS) as http:
        await http.post(f"{process.url}/_control/reset")
        yield http


async def test_parallel_creates_get_numbers_of_their_own(many: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(many.post("/clients", json={"name": f"c{n}"}) for n in range(40)))
    assert len({answer.json()["data"]["number"] for answer in answers}) == 40
