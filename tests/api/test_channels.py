"""Channels by the API: what goes in, what never comes out, and what a test message says."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.settings import Settings
from tests.api.rows import bridge
from tests.conftest import World
from tests.notify.mailserver import Mailserver, mailserver
from tests.notify.receiver import Receiver, receiving, verified

PASSWORD = "a-mail-password-for-tests"
SLACK = "https://hooks.slack.example/services/T000/B000/a-secret-of-slack"
EMAIL = {
    "kind": "email",
    "name": "Office",
    "host": "127.0.0.1",
    "port": 2525,
    "username": "crossledger",
    "password": PASSWORD,
    "sender": "crossledger@example.com",
    "recipients": ["ada@example.com"],
}


async def made(world: World, **wanted: Any) -> dict[str, Any]:
    answer = await world.admin.post("/api/v1/channels", json=wanted)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def changed(world: World, id_: int, **wanted: Any) -> httpx.Response:
    return await world.admin.patch(f"/api/v1/channels/{id_}", json=wanted)


async def tried(world: World, id_: int) -> dict[str, Any]:
    return dict((await world.admin.post(f"/api/v1/channels/{id_}/test")).raise_for_status().json())


async def everything_shown(world: World) -> str:
    """What the API says of channels, and what the database holds in the open."""
    lists = [await world.rows(path) for path in ("channels", "audit", "alerts")]
    async with world.service.engine.connect() as connection:
        rows = [dict(row) for row in (await connection.execute(text("SELECT * FROM channels"))).mappings()]
    return json.dumps(lists) + str(rows)


async def test_each_kind_is_made_and_shown_without_its_secrets(bare_world: World) -> None:
    mail = await made(bare_world, **EMAIL, kinds=["budget", "budget", "reconnect"])
    assert mail["settings"] == {
        "host": "127.0.0.1",
        "port": 2525,
        "security": "starttls",
        "username": "crossledger",
        "sender": "crossledger@example.com",
        "recipients": ["ada@example.com"],
    }
    assert (mail["kinds"], mail["bridges"], mail["enabled"], mail["secret"]) == (
        ["budget", "reconnect"],
        [],
        True,
        None,
    )
    slack = await made(bare_world, kind="slack", name="Chat", url=SLACK)
    assert (slack["settings"], slack["secret"]) == ({"host": "hooks.slack.example"}, None)
    teams = await made(bare_world, kind="teams", name="Team", url="https://flow.example/workflows/a-secret-of-teams")
    assert (teams["kind"], teams["settings"]) == ("teams", {"host": "flow.example"})
    hook = await made(bare_world, kind="webhook", name="Ours", url="https://ours.example/in?key=a-secret-of-ours")
    assert hook["secret"].startswith("whsec_")
    assert [each["id"] for each in await bare_world.rows("channels")] == [
        each["id"] for each in (hook, teams, slack, mail)
    ]
    one = (await bare_world.admin.get(f"/api/v1/channels/{hook['id']}")).json()
    assert "secret" not in one
    patched = (await changed(bare_world, mail["id"], name="Office 2")).json()
    shown = await everything_shown(bare_world) + json.dumps([one, patched])
    for secret in (PASSWORD, "a-secret-of-slack", "a-secret-of-teams", "a-secret-of-ours", hook["secret"]):
        assert secret not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"security": "none"},
        {"password": ""},
        {"username": "", "password": PASSWORD},
        {"sender": "nobody"},
        {"sender": "a@example.com\r\nBcc: b@example.com"},
        {"recipients": []},
        {"recipients": ["ada@example.com\nx: y"]},
        {"host": "mail.example.com\r\nQUIT"},
        {"host": "-mail"},
        {"port": 0},
        {"port": 65536},
        {"kinds": ["weather"]},
        {"summary_hour": 24},
        {"summary_hour": -1},
        {"bridges": [77]},
        {"name": ""},
        {"name": "\u0000"},
        {"colour": "red"},
        {"kind": "slack", "url": "https://x.example"},
        {"kind": "fax"},
    ],
    ids=str,
)
async def test_what_cannot_work_is_refused_and_nothing_of_it_repeated(bare_world: World, wrong: dict[str, Any]) -> None:
    answer = await bare_world.admin.post("/api/v1/channels", json={**EMAIL, **wrong})
    assert answer.status_code == 422, answer.text
    assert PASSWORD not in answer.text
    assert await bare_world.rows("channels") == []


@pytest.mark.parametrize(
    "url", ["ftp://x.example", "https://", "x", "https://ada:s3cret@x.example", "https://x.example/#s3cret"]
)
async def test_an_address_that_is_none_is_refused_and_not_repeated(bare_world: World, url: str) -> None:
    answer = await bare_world.admin.post("/api/v1/channels", json={"kind": "slack", "name": "x", "url": url})
    assert answer.status_code == 422
    assert "s3cret" not in answer.text


async def test_what_is_left_out_of_a_change_stays_as_it_is(bare_world: World) -> None:
    one = await bridge(bare_world)
    mail = await made(bare_world, **EMAIL)
    answer = await changed(
        bare_world, mail["id"], enabled=False, bridges=[one], kinds=["conflict"], recipients=["ben@example.com"]
    )
    row = answer.json()
    assert (row["enabled"], row["bridges"], row["kinds"], row["name"]) == (False, [one], ["conflict"], "Office")
    assert row["settings"] == {**mail["settings"], "recipients": ["ben@example.com"]}
    assert (await password_of(bare_world, mail["id"])) == PASSWORD
    again = (await changed(bare_world, mail["id"])).json()
    told = {"problem": "", "problem_since": None}  # an alert may have been sent before it was switched off
    assert {**again, **told} == {**row, **told}


async def test_the_hour_of_the_daily_summary_is_set_kept_and_taken_away(bare_world: World) -> None:
    slack = await made(bare_world, kind="slack", name="Chat", url=SLACK, summary_hour=7)
    assert slack["summary_hour"] == 7
    assert (await changed(bare_world, slack["id"], name="Chat 2")).json()["summary_hour"] == 7
    assert (await changed(bare_world, slack["id"], summary_hour=23)).json()["summary_hour"] == 23
    assert (await changed(bare_world, slack["id"], summary_hour=None)).json()["summary_hour"] is None


async def password_of(world: World, id_: int) -> str:
    async with world.service.engine.connect() as connection:
        sealed = await connection.scalar(text("SELECT sealed FROM channels WHERE id = :id"), {"id": id_})
    return world.service.connections.vault.unseal(str(sealed))["password"]


@pytest.mark.parametrize(
    "elsewhere", [{"host": "thief.example"}, {"port": 26}, {"security": "tls"}, {"username": "eve"}], ids=str
)
async def test_a_stored_password_does_not_travel_to_another_server(
    bare_world: World, elsewhere: dict[str, Any]
) -> None:
    mail = await made(bare_world, **EMAIL)
    answer = await changed(bare_world, mail["id"], **elsewhere)
    assert (answer.status_code, "Enter the password again" in answer.json()["detail"]) == (422, True)
    assert (await bare_world.rows("channels"))[0]["settings"] == mail["settings"]
    assert (await changed(bare_world, mail["id"], **elsewhere, password="another-password")).status_code == 200
    assert (await password_of(bare_world, mail["id"])) == "another-password"


async def test_a_password_is_never_sent_in_the_clear(bare_world: World) -> None:
    mail = await made(bare_world, **EMAIL)
    answer = await changed(bare_world, mail["id"], security="none", password=PASSWORD)
    assert (answer.status_code, "TLS only" in answer.json()["detail"]) == (422, True)
    open_ = await changed(bare_world, mail["id"], security="none", username="", password="")
    assert open_.status_code == 200


async def test_a_change_fits_the_kind_of_the_channel(bare_world: World) -> None:
    mail = await made(bare_world, **EMAIL)
    slack = await made(bare_world, kind="slack", name="Chat", url=SLACK)
    assert (await changed(bare_world, mail["id"], url=SLACK)).status_code == 422
    assert (await changed(bare_world, slack["id"], host="x.example")).status_code == 422
    assert (await changed(bare_world, slack["id"], url="https://x.example", port=1)).status_code == 422
    assert (await changed(bare_world, slack["id"], url="https://x.example")).json()["settings"] == {"host": "x.example"}


async def test_a_test_message_arrives_and_clears_what_was_wrong(bare_world: World) -> None:
    async with receiving(Receiver(500, "not today")) as receiver:
        hook = await made(bare_world, kind="webhook", name="Ours", url=receiver.url)
        assert await tried(bare_world, hook["id"]) == {
            "sent": False,
            "problem": "127.0.0.1 answers 500 Internal Server Error: not today",
        }
        (row,) = await bare_world.rows("channels")
        assert (row["problem"], row["sent_at"], row["given_up"]) == (
            "127.0.0.1 answers 500 Internal Server Error: not today", None, 0,
        )  # fmt: skip
        receiver.status = 200
        assert await tried(bare_world, hook["id"]) == {"sent": True, "problem": ""}
    (row,) = await bare_world.rows("channels")
    assert (row["problem"], row["problem_since"], row["sent_at"] is not None) == ("", None, True)
    assert verified(*receiver.told[0], hook["secret"])
    assert receiver.types() == ["test"]


async def test_a_test_by_e_mail_says_exactly_what_went_wrong(bare_world: World) -> None:
    plain = {
        **EMAIL,
        "security": "none",
        "username": "",
        "password": "",
        "recipients": ["ada@x.example", "ben@x.example"],
    }
    async with mailserver(Mailserver(refuses=frozenset({"ben@"}))) as server:
        mail = await made(bare_world, **{**plain, "port": server.port})
        assert await tried(bare_world, mail["id"]) == {
            "sent": True,
            "problem": "ben@x.example: 550 5.1.1 nobody of that name",
        }
        assert server.taken[0]["subject"] == "Crossledger: A test message"
        await changed(bare_world, mail["id"], security="starttls")
        said = await tried(bare_world, mail["id"])
        assert (said["sent"], "STARTTLS" in said["problem"]) == (False, True)
    said = await tried(bare_world, mail["id"])
    assert said["problem"].startswith(f"127.0.0.1:{server.port} cannot be reached: ")


async def test_a_new_signing_secret_is_good_at_once_and_the_old_one_is_not(bare_world: World) -> None:
    async with receiving(Receiver()) as receiver:
        hook = await made(bare_world, kind="webhook", name="Ours", url=receiver.url)
        answer = await bare_world.admin.post(f"/api/v1/channels/{hook['id']}/secret")
        await tried(bare_world, hook["id"])
    new = answer.json()["secret"]
    assert verified(*receiver.told[0], new)
    assert not verified(*receiver.told[0], hook["secret"])
    slack = await made(bare_world, kind="slack", name="Chat", url=SLACK)
    assert (await bare_world.admin.post(f"/api/v1/channels/{slack['id']}/secret")).status_code == 422


async def test_a_channel_that_is_deleted_is_gone(bare_world: World) -> None:
    hook = await made(bare_world, kind="webhook", name="Ours", url="https://ours.example")
    path = f"/api/v1/channels/{hook['id']}"
    assert [(await bare_world.admin.delete(path)).status_code for _ in range(2)] == [204, 404]


class TestAsDelivered:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"allow_private_addresses": False})

    async def test_nothing_is_sent_to_this_machine_or_network(self, bare_world: World) -> None:
        async with receiving(Receiver()) as receiver, mailserver(Mailserver()) as server:
            open_ = {**EMAIL, "security": "none", "username": "", "password": "", "port": server.port}
            for wanted in (
                open_,
                {**open_, "host": "localhost"},
                {"kind": "slack", "name": "x", "url": receiver.url},
                {"kind": "webhook", "name": "x", "url": receiver.url},
                {"kind": "webhook", "name": "x", "url": "http://169.254.169.254/latest/meta-data"},
            ):
                said = await tried(bare_world, (await made(bare_world, **wanted))["id"])
                assert (said["sent"], "called" in said["problem"]) == (False, True), said
        assert (receiver.told, receiver.refused, server.connections) == ([], 0, 0)
