import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.highlevel import Config, create_app
from app.sandbox.serving import listen, server

HERE = "sandboxLocation0001"
THERE = "sandboxLocation0002"
SERVICE = {"Authorization": "Bearer sandbox-highlevel-service-token", "Version": "2021-07-28"}
CONSENT = {
    "response_type": "code",
    "client_id": Config().client_id,
    "redirect_uri": "http://127.0.0.1:9/callback",
    "scope": "contacts.readonly oauth.write oauth.readonly",
}


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    bound = listen(0)
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]})
    thread.start()
    while not running.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join()
        bound.close()


@contextmanager
def highlevel(**settings: Any) -> Iterator[httpx.Client]:
    with (
        serving(create_app(Config(**{"delivery_delay": 0, **settings}))) as url,
        httpx.Client(base_url=url, headers=SERVICE, trust_env=False) as http,
    ):
        yield http


@pytest.fixture(scope="module")
def shared() -> Iterator[httpx.Client]:
    with highlevel() as client:
        yield client


@pytest.fixture
def http(shared: httpx.Client) -> httpx.Client:
    shared.post("/_control/reset")
    return shared


class Receiver:
    """Keeps what arrives; answers with each of `statuses` in turn, then with 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def wait(self, count: int) -> list[dict[str, Any]]:
        until(lambda: len(self.got) >= count)
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with serving(Starlette(routes=[Route("/{path:path}", receiver.take, methods=["POST"])])) as url:
        receiver.url = url
        yield receiver


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def make(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/contacts/", json={"locationId": HERE, **body})
    assert answer.status_code == 201, answer.text
    contact: dict[str, Any] = answer.json()["contact"]
    return contact


def get(http: httpx.Client, contact_id: str) -> Any:
    return http.get(f"/contacts/{contact_id}").json()["contact"]


def search(http: httpx.Client, *filters: Any, **more: Any) -> Any:
    body = {"locationId": HERE, "pageLimit": 100, "filters": list(filters), **more}
    answer = http.post("/contacts/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: Any) -> list[str]:
    return [each["id"] for each in found["contacts"]]


# tokens, versions, limits


@pytest.mark.parametrize(
    ("headers", "path", "status", "message"),
    [
        ({"Authorization": "Bearer wrong"}, f"/locations/{HERE}", 401, "Invalid token: access token is invalid"),
        ({"Authorization": ""}, f"/locations/{HERE}", 401, "Invalid token: access token is invalid"),
        ({"Version": ""}, f"/locations/{HERE}", 401, "version header was not found."),
        ({"Version": "2020-01-01"}, f"/locations/{HERE}", 401, "version header is invalid."),
        ({}, f"/locations/{THERE}", 403, "The token does not have access to this location."),
        ({}, "/contacts", 404, "Cannot GET /contacts"),
    ],
)
def test_a_request_that_is_not_let_in(
    http: httpx.Client, headers: dict[str, str], path: str, status: int, message: str
) -> None:
    answer = http.get(path, headers=headers)
    error = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}[status]
    assert (answer.status_code, answer.json()) == (status, {"statusCode": status, "message": message, "error": error})


def test_a_contact_of_another_location_is_out_of_reach(http: httpx.Client) -> None:
    contact = make(http, email="ada@example.org")
    other = {"Authorization": "Bearer sandbox-highlevel-service-token-2"}
    assert http.get(f"/contacts/{contact['id']}", headers=other).status_code == 403
    assert http.post("/contacts/", headers=other, json={"locationId": HERE}).status_code == 403


def test_a_token_without_the_scope_is_told_so_with_a_401(http: httpx.Client) -> None:
    given = {"token": "reader", "locationId": HERE, "scopes": ["contacts.readonly"], "label": "reader"}
    http.post("/_control/tokens", json=given)
    answer = http.post("/contacts/", json={"locationId": HERE}, headers={"Authorization": "Bearer reader"})
    assert answer.status_code == 401
    assert answer.json()["message"] == "The token is not authorized for this scope."
    assert http.get("/_control/requests?token=reader").json()["count"] == 1


def test_each_answer_shows_the_limits_and_the_last_one_is_refused() -> None:
    with highlevel(burst_limit=2, burst_seconds=0.3) as http:
        answers = [http.get(f"/locations/{HERE}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].json() == {"statusCode": 429, "message": "Too Many Requests"}
        shown = {name: value for name, value in answers[1].headers.items() if name.startswith("x-ratelimit")}
        assert shown == {
            "x-ratelimit-limit-daily": "200000",
            "x-ratelimit-daily-remaining": "199998",
            "x-ratelimit-interval-milliseconds": "300",
            "x-ratelimit-max": "2",
            "x-ratelimit-remaining": "0",
        }
        human = {"Authorization": "Bearer sandbox-highlevel-human-token"}
        assert http.get(f"/locations/{HERE}", headers=human).status_code == 200
        time.sleep(0.31)
        assert http.get(f"/locations/{HERE}").status_code == 200


# contacts


def test_a_contact_is_kept_the_way_highlevel_normalises_it(http: httpx.Client) -> None:
    made = make(
        http,
        name="Ada Byron King",
        email=" Ada@Example.ORG ",
        phone="(212) 555-0147",
        gender="female",
        dateOfBirth="12/10/1815",
        tags=["VIP", "vip", "Lead"],
        customFields=[{"key": "vat_number", "field_value": "IT123"}, {"id": "unknown", "field_value": "x"}],
    )
    assert "dateUpdated" not in made
    kept = get(http, made["id"])
    assert kept["dateUpdated"] == kept["dateAdded"] == made["dateAdded"]
    assert (kept["firstName"], kept["lastName"], kept["name"]) == ("Ada", "Byron King", "Ada Byron King")
    assert (kept["email"], kept["phone"]) == ("ada@example.org", "+12125550147")
    assert kept["dateOfBirth"] == "1815-12-10T00:00:00.000Z"
    assert kept["tags"] == ["vip", "lead"]
    assert "gender" not in kept
    fields = http.get(f"/locations/{HERE}/customFields?model=contact").json()["customFields"]
    vat = next(each["id"] for each in fields if each["fieldKey"] == "contact.vat_number")
    assert kept["customFields"] == [{"id": vat, "value": "IT123"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"email": "nobody@nowhere"}, "email must be an email"),
        ({"phone": "call me"}, "phone must be a valid phone number"),
        ({"country": "Italy"}, "country must be a valid enum value"),
        ({"city": 7}, "city must be a string"),
        ({"postalCode": None}, "postalCode must be a string"),
        ({"dateOfBirth": "yesterday"}, "dateOfBirth must be a valid date"),
        ({"customFields": [{"id": "x", "value": "1"}]}, "customFields.0.property value should not exist"),
        ({"additionalEmails": []}, "property additionalEmails should not exist"),
    ],
)
def test_a_bad_contact_is_refused_with_a_list_of_messages(
    http: httpx.Client, body: dict[str, Any], message: str
) -> None:
    answer = http.post("/contacts/", json={"locationId": HERE, **body})
    assert answer.status_code == 422
    assert answer.json()["message"] == [message]
    assert search(http)["total"] == 0


@pytest.mark.parametrize(("field", "value"), [("email", "ada@example.org"), ("phone", "+12125550147")])
def test_a_duplicate_is_refused_and_names_the_contact_that_is_there(http: httpx.Client, field: str, value: str) -> None:
    there = make(http, firstName="Ada", **{field: value})
    other = make(http, firstName="Grace")
    for answer in (
        http.post("/contacts/", json={"locationId": HERE, field: value}),
        http.put(f"/contacts/{other['id']}", json={field: value}),
    ):
        assert answer.status_code == 400
        assert answer.json()["message"] == "This location does not allow duplicated contacts."
        assert answer.json()["meta"] == {"contactId": there["id"], "contactName": "Ada", "matchingField": field}


def test_duplicates_are_made_where_the_location_allows_them() -> None:
    with highlevel(allow_duplicate_contact=True) as http:
        first, second = make(http, email="ada@example.org"), make(http, email="ada@example.org")
        query = {"locationId": HERE, "email": "ADA@example.org", "number": "+12125550147"}
        answer = http.get("/contacts/search/duplicate", params=query).json()
        assert first["id"] != second["id"]
        assert answer["contact"]["id"] == first["id"]


def test_an_update_merges_custom_fields_overwrites_tags_and_clears_what_is_null(http: httpx.Client) -> None:
    made = make(http, city="Rome", tags=["a", "b"], customFields=[{"key": "vat_number", "field_value": "1"}])
    change = {"city": None, "tags": ["b"], "customFields": [{"key": "contact.id_number", "field_value": "2"}]}
    answer = http.put(f"/contacts/{made['id']}", json=change).json()
    assert answer["succeded"] is True
    assert answer["traceId"]
    kept = get(http, made["id"])
    assert kept["city"] is None
    assert kept["tags"] == ["b"]
    assert [each["value"] for each in kept["customFields"]] == ["1", "2"]
    http.put(f"/contacts/{made['id']}", json={"customFields": [{"key": "vat_number", "field_value": ""}]})
    assert [each["value"] for each in get(http, made["id"])["customFields"]] == ["2"]


@pytest.mark.parametrize(
    ("rule", "status", "after"), [("refuse", 422, "Old"), ("ignore", 200, "Old"), ("accept", 200, "New")]
)
def test_what_becomes_of_a_company_name_in_an_update(rule: str, status: int, after: str) -> None:
    with highlevel(put_company_name=rule) as http:
        made = make(http, companyName="Old")
        answer = http.put(f"/contacts/{made['id']}", json={"companyName": "New"})
        assert answer.status_code == status
        assert get(http, made["id"])["companyName"] == after
        if rule == "refuse":
            assert answer.json()["message"] == ["property companyName should not exist"]
        http.patch(f"/_control/contacts/{made['id']}", json={"companyName": "By hand"})
        assert get(http, made["id"])["companyName"] == "By hand"


@pytest.mark.parametrize("status", [400, 404])
def test_a_deleted_contact_is_not_found(status: int) -> None:
    with highlevel(missing_contact_status=status) as http:
        made = make(http, email="ada@example.org")
        assert http.delete(f"/contacts/{made['id']}").json()["succeded"] is True
        for answer in (http.get(f"/contacts/{made['id']}"), http.delete(f"/contacts/{made['id']}")):
            assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
            assert answer.json()["message"] == f"Contact with id {made['id']} not found"
        make(http, email="ada@example.org")


def test_an_upsert_updates_the_first_match_and_ignores_the_field_of_another_contact(http: httpx.Client) -> None:
    by_phone = make(http, phone="+12125550147")
    by_email = make(http, email="ada@example.org", tags=["old"])
    body = {"locationId": HERE, "email": "ada@example.org", "phone": "+12125550147", "tags": ["new"]}
    answer = http.post("/contacts/upsert", json=body).json()
    assert (answer["new"], answer["contact"]["id"]) == (False, by_email["id"])
    assert answer["contact"]["tags"] == ["new"]
    assert "phone" not in get(http, by_email["id"])
    http.post(f"/_control/locations/{HERE}", json={"match_order": ["phone", "email"]})
    assert http.post("/contacts/upsert", json=body).json()["contact"]["id"] == by_phone["id"]
    assert http.post("/contacts/upsert", json={"locationId": HERE, "email": "new@example.org"}).json()["new"] is True


def test_tags_are_added_and_removed_each_once(http: httpx.Client) -> None:
    made = make(http, tags=["a"])
    added = http.post(f"/contacts/{made['id']}/tags", json={"tags": ["B", "a"]})
    assert (added.status_code, added.json()["tags"]) == (201, ["a", "b"])
    removed = http.request("DELETE", f"/contacts/{made['id']}/tags", json={"tags": ["a"]})
    assert (removed.status_code, removed.json()["tags"]) == (200, ["b"])


# search


def test_search_combines_filters_groups_and_a_query(http: httpx.Client) -> None:
    ada = make(http, firstName="Ada", email="ada@example.org", city="London", tags=["vip"])["id"]
    bob = make(http, firstName="Bob", email="bob@example.org", city="Rome", tags=["vip", "new"])["id"]
    cleo = make(http, firstName="Cleo", city="Rome")["id"]
    email = {"field": "email", "operator": "eq", "value": "ada@example.org"}
    rome = {"field": "city", "operator": "eq", "value": "Rome"}
    vip = {"field": "tags", "operator": "contains", "value": "vip"}
    assert ids(search(http, email)) == [ada]
    assert ids(search(http, rome, vip)) == [bob]
    assert set(ids(search(http, {"group": "OR", "filters": [email, rome]}))) == {ada, bob, cleo}
    assert ids(search(http, {"group": "AND", "filters": [rome, {"field": "email", "operator": "not_exists"}]})) == [
        cleo
    ]
    assert set(ids(search(http, query="BOB@"))) == {bob}
    since = {"field": "dateUpdated", "operator": "range", "value": {"gte": get(http, bob)["dateUpdated"]}}
    http.put(f"/contacts/{ada}", json={"city": "Paris"})
    assert {ada, bob, cleo} >= set(ids(search(http, since))) >= {ada, bob}
    assert search(http, {**since, "value": {"gt": "2100-01-01T00:00:00Z"}})["total"] == 0


def test_search_pages_by_cursor_and_by_number_without_loss(http: httpx.Client) -> None:
    made = [make(http, email=f"{number}@example.org")["id"] for number in range(7)]
    order = [{"field": "dateUpdated", "direction": "asc"}]
    seen: list[str] = []
    after: dict[str, Any] = {}
    while page := search(http, sort=order, pageLimit=3, **after)["contacts"]:
        seen += [each["id"] for each in page]
        after = {"searchAfter": page[-1]["searchAfter"]}
    assert sorted(seen) == sorted(made)
    numbered = [each for number in (1, 2, 3) for each in ids(search(http, sort=order, pageLimit=3, page=number))]
    assert numbered == seen
    assert search(http, pageLimit=3)["total"] == 7


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pageLimit": 501},
        {"pageLimit": 500, "page": 21},
        {"pageLimit": 10, "page": 1, "searchAfter": [1, "x"]},
        {"pageLimit": 10, "query": "x" * 76},
        {"pageLimit": 10, "filters": [{"field": "no_such_field", "operator": "eq", "value": "x"}]},
        {"pageLimit": 10, "filters": [{"field": "email", "operator": "like", "value": "x"}]},
        {"pageLimit": 10, "sort": [{"field": "email", "direction": "up"}]},
    ],
)
def test_a_search_that_highlevel_would_not_take(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/contacts/search", json={"locationId": HERE, **body}).status_code == 422


def test_the_search_index_lags_and_the_record_itself_does_not() -> None:
    with highlevel(index_lag=0.2) as http:
        made = make(http, email="ada@example.org")
        email = {"field": "email", "operator": "eq", "value": "ada@example.org"}
        assert ids(search(http, email)) == []
        assert get(http, made["id"])["email"] == "ada@example.org"
        until(lambda: ids(search(http, email)) == [made["id"]])
        http.delete(f"/contacts/{made['id']}")
        assert ids(search(http)) == [made["id"]]


# OAuth


def consent(http: httpx.Client, approve: str, **more: str) -> dict[str, list[str]]:
    answer = http.get("/v2/oauth/chooselocation", params={**CONSENT, "approve": approve, **more})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.headers["location"]).query)


def token(http: httpx.Client, **form: str) -> httpx.Response:
    client = {"client_id": Config().client_id, "client_secret": Config().client_secret}
    return http.post("/oauth/token", data={**client, **form})


def test_the_consent_page_offers_each_location_and_returns_the_state(http: httpx.Client) -> None:
    page = http.get("/v2/oauth/chooselocation", params={**CONSENT, "state": "s 1"}).text
    for choice in (HERE, "agency"):
        assert f'<button name="approve" value="{choice}">' in page
    assert '<input type="hidden" name="state" value="s 1">' in page
    assert consent(http, HERE, state="s 1")["state"] == ["s 1"]
    assert "state" not in consent(http, HERE)


def test_who_cancels_is_sent_back_with_oauths_own_word_for_it(http: httpx.Client) -> None:
    answer = http.get("/v2/oauth/chooselocation", params={**CONSENT, "state": "s 1", "refuse": "yes"})
    said = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (said["error"], said["state"], "code" in said) == (["access_denied"], ["s 1"], False)


def test_a_code_and_a_refresh_token_work_once(http: httpx.Client) -> None:
    code = consent(http, HERE)["code"][0]
    first = token(http, grant_type="authorization_code", code=code).json()
    assert (first["userType"], first["locationId"], first["expires_in"]) == ("Location", HERE, 86399)
    assert token(http, grant_type="authorization_code", code=code).status_code == 400
    http.post(f"/_control/locations/{HERE}", json={"active": False})
    inactive = token(http, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (inactive.status_code, inactive.json()["message"]) == (400, "Location is not active")
    http.post(f"/_control/locations/{HERE}", json={"active": True})
    second = token(http, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    replay = token(http, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (replay.status_code, replay.json()["message"]) == (400, "Invalid grant: refresh token is invalid")
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert http.get("/contacts/nobody12345678901234", headers=bearer).status_code == 400
    assert http.post("/oauth/token", json={"grant_type": "refresh_token"}).status_code == 400


def test_an_agency_token_opens_its_locations_and_expires() -> None:
    with highlevel(access_token_seconds=0.2) as http:
        code = consent(http, "agency")["code"][0]
        company = token(http, grant_type="authorization_code", code=code).json()
        assert company["userType"] == "Company"
        bearer = {"Authorization": f"Bearer {company['access_token']}"}
        asked = {"companyId": company["companyId"], "appId": Config().app_id}
        listed = http.get("/oauth/installedLocations", params=asked, headers=bearer).json()
        assert [each["_id"] for each in listed["locations"]] == [HERE, THERE]
        form = {"companyId": company["companyId"], "locationId": THERE}
        own = http.post("/oauth/locationToken", data=form, headers=bearer).json()
        assert (own["locationId"], own["userType"]) == (THERE, "Location")
        assert http.post("/oauth/locationToken", data=form).status_code == 401
        time.sleep(0.21)
        assert http.post("/oauth/locationToken", data=form, headers=bearer).status_code == 401


# webhooks


def test_every_change_sends_its_signed_event_and_a_write_without_change_sends_none(
    http: httpx.Client, receiver: Receiver
) -> None:
    http.post("/_control/webhooks", json={"url": receiver.url, "events": "all"})
    made = make(
        http, firstName="Zoë", email="ada@example.org", customFields=[{"key": "vat_number", "field_value": "1"}]
    )
    receiver.wait(1)
    http.put(f"/contacts/{made['id']}", json={"city": "Rome"})
    receiver.wait(2)
    http.put(f"/contacts/{made['id']}", json={"city": "Rome"})
    http.post(f"/contacts/{made['id']}/tags", json={"tags": ["vip"]})
    receiver.wait(3)
    http.put(f"/contacts/{made['id']}", json={"dnd": True})
    receiver.wait(4)
    http.delete(f"/contacts/{made['id']}")
    bodies = receiver.wait(5)
    kinds = ["ContactCreate", "ContactUpdate", "ContactTagUpdate", "ContactDndUpdate", "ContactDelete"]
    assert [body["type"] for body in bodies] == kinds
    assert {(body["id"], body["locationId"], body["appId"]) for body in bodies} == {(made["id"], HERE, Config().app_id)}
    assert bodies[1]["city"] == "Rome"
    assert bodies[1]["customFields"][0]["value"] == "1"
    assert len({body["webhookId"] for body in bodies}) == 5
    key = load_pem_public_key(http.get("/_control/public-key").content)
    assert isinstance(key, Ed25519PublicKey)
    for headers, raw in receiver.got:
        key.verify(b64decode(headers["x-ghl-signature"]), raw)
        with pytest.raises(InvalidSignature):
            key.verify(b64decode(headers["x-ghl-signature"]), raw + b" ")
        assert "x-wh-signature" not in headers


def test_the_legacy_signature_is_sent_when_switched_on(receiver: Receiver) -> None:
    with highlevel(signatures="both", webhook_url=receiver.url) as http:
        make(http)
        receiver.wait(1)
        key = load_pem_public_key(http.get("/_control/public-key?kind=rsa").content)
        assert isinstance(key, RSAPublicKey)
        headers, raw = receiver.got[0]
        key.verify(b64decode(headers["x-wh-signature"]), raw, PKCS1v15(), SHA256())


def test_a_refused_delivery_comes_again_with_the_same_id_until_it_is_taken(receiver: Receiver) -> None:
    receiver.statuses = [500, 404, 429]
    with highlevel(retry_waits=[0.01] * 12, webhook_url=receiver.url) as http:
        make(http)
        bodies = receiver.wait(4)
        until(lambda: http.get("/_control/deliveries").json()["pending"] == 0)
        assert len(receiver.got) == 4
        assert len({body["webhookId"] for body in bodies}) == 1
        assert len({raw for _, raw in receiver.got}) == 1


def test_an_event_goes_to_the_url_set_for_it_and_an_unknown_one_is_refused(
    http: httpx.Client, receiver: Receiver
) -> None:
    http.post("/_control/webhooks", json={"events": {"ContactDelete": f"{receiver.url}/deleted"}})
    http.delete(f"/contacts/{make(http)['id']}")
    assert [body["type"] for body in receiver.wait(1)] == ["ContactDelete"]
    answer = http.post("/_control/webhooks", json={"events": {"ContactMerged": receiver.url}})
    assert answer.status_code == 400


def test_a_workflow_posts_its_own_shape_with_the_headers_of_its_author(http: httpx.Client, receiver: Receiver) -> None:
    made = make(http, name="Ada King", tags=["a", "b"], customFields=[{"key": "vat_number", "field_value": "1"}])
    order = {"url": receiver.url, "headers": {"X-Secret": "s"}, "contactId": made["id"], "customData": {"k": "v"}}
    assert http.post("/_control/workflow", json=order).status_code == 200
    body = receiver.wait(1)[0]
    assert (body["contact_id"], body["full_name"], body["tags"]) == (made["id"], "Ada King", "a,b")
    assert (body["VAT Number"], body["customData"], body["location"]["id"]) == ("1", {"k": "v"}, HERE)
    assert receiver.got[0][0]["x-secret"] == "s"
    assert "x-ghl-signature" not in receiver.got[0][0]


# control


def test_a_reset_restores_the_start_state(http: httpx.Client) -> None:
    make(http, email="ada@example.org")
    http.post("/_control/settings", json={"put_company_name": "accept", "index_lag": 3})
    http.post("/_control/webhooks", json={"url": "http://127.0.0.1:9/"})
    http.post(f"/_control/locations/{HERE}/custom-fields", json={"name": "Shoe Size", "dataType": "NUMERICAL"})
    http.post("/_control/reset")
    assert http.get("/_control/state").json() == {
        "locations": {HERE: 0, THERE: 0},
        "contacts": [],
        "webhooks": {},
        "appId": Config().app_id,
    }
    assert http.get("/_control/settings").json()["put_company_name"] == "refuse"
    keys = [each["fieldKey"] for each in http.get(f"/locations/{HERE}/customFields").json()["customFields"]]
    assert keys == ["contact.vat_number", "contact.id_number", "contact.client_notes", "contact.account_tier"]


def test_an_unknown_setting_is_refused(http: httpx.Client) -> None:
    assert http.post("/_control/settings", json={"no_such": 1}).status_code == 400


def test_issue_highlevel_api_docs_64_a_422_can_have_created_the_contact(http: httpx.Client) -> None:
    fault = {"kind": "created_anyway", "method": "POST", "path": "^/contacts/$", "times": 1}
    http.post("/_control/faults", json=fault)
    answer = http.post("/contacts/", json={"locationId": HERE, "email": "ada@example.org"})
    assert (answer.status_code, answer.json()["message"]) == (422, ["Unprocessable Entity"])
    assert search(http)["total"] == 1


def test_an_uninstall_takes_the_tokens_and_tells_the_app(http: httpx.Client, receiver: Receiver) -> None:
    code = consent(http, HERE)["code"][0]
    issued = token(http, grant_type="authorization_code", code=code).json()
    http.post("/_control/webhooks", json={"url": receiver.url, "events": ["UNINSTALL"]})
    http.post("/_control/uninstall", json={"locationId": HERE})
    assert receiver.wait(1)[0]["type"] == "UNINSTALL"
    bearer = {"Authorization": f"Bearer {issued['access_token']}"}
    assert http.get("/contacts/nobody12345678901234", headers=bearer).status_code == 401
    assert token(http, grant_type="refresh_token", refresh_token=issued["refresh_token"]).status_code == 400
