"""Messages by HTTP as a program or a chat gets them, and what is said where they are not taken."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from app.errors import CrossledgerError, Rejected, Retry
from app.notify.hooks import new_signing_secret, signature, signed, to_slack, to_teams
from app.notify.messages import trial
from app.notify.targets import SignedHook, SlackHook, TeamsHook
from app.providers.addresses import Reach
from app.providers.client import make_client
from tests.notify.receiver import Receiver, receiving, verified

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MESSAGE = replace(
    trial("Main", NOW, "https://sync.example.com"),
    id="alert-7-began",
    type="alert.began",
    kind="reconnect",
    cure="Do it.",
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(Reach.PRIVATE_TOO) as client:
        yield client


async def refusal(client: httpx.AsyncClient, url: str) -> CrossledgerError:
    with pytest.raises(CrossledgerError) as failure:
        await signed(client, SignedHook(url, new_signing_secret()), MESSAGE, NOW)
    return failure.value


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_message_is_signed_and_says_what_it_is_about(client: httpx.AsyncClient) -> None:
    secret = new_signing_secret()
    async with receiving(Receiver()) as receiver:
        for now in (NOW, NOW.replace(minute=5)):
            await signed(client, SignedHook(receiver.url, secret), MESSAGE, now)
    (headers, body), (again, _) = receiver.told
    assert headers["content-type"] == "application/json"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("alert-7-began", str(int(NOW.timestamp())))
    assert verified(headers, body, secret)
    assert not verified(headers, body + b" ", secret)
    assert not verified(headers, body, new_signing_secret())
    assert again["webhook-id"] == headers["webhook-id"]
    assert int(again["webhook-timestamp"]) == int(headers["webhook-timestamp"]) + 300
    document = receiver.bodies[0]
    assert (document["type"], document["timestamp"]) == ("alert.began", NOW.isoformat())
    assert document["data"]["kind"] == "reconnect"
    assert document["data"].keys() == {"title", "text", "cure", "url", "kind", "subject", "level", "count"}


async def test_slack_shows_a_name_and_takes_no_command_from_it(client: httpx.AsyncClient) -> None:
    message = replace(MESSAGE, title="“<!channel> & co” needs to be reconnected")
    async with receiving(Receiver()) as receiver:
        await to_slack(client, SlackHook(receiver.url), message)
    (body,) = receiver.bodies
    assert body.keys() == {"text"}
    assert body["text"].startswith("*“&lt;!channel&gt; &amp; co” needs to be reconnected*\n")
    assert body["text"].endswith("_What to do:_ Do it.\n<https://sync.example.com>")


async def test_teams_is_sent_a_card_that_makes_no_link_of_a_name(client: httpx.AsyncClient) -> None:
    message = replace(MESSAGE, title="“[free](https://x.example)” failed", text="One.\nTwo.")
    async with receiving(Receiver(202)) as receiver:
        await to_teams(client, TeamsHook(receiver.url), message)
    (body,) = receiver.bodies
    (attached,) = body["attachments"]
    assert (body["type"], attached["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attached["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {each["type"] for each in card["body"]} == {"RichTextBlock"}, "a TextBlock reads Markdown"
    assert [each["inlines"][0]["text"] for each in card["body"]] == [
        message.title,
        "One.",
        "Two.",
        "What to do: Do it.",
    ]
    (action,) = card["actions"]
    assert (action["type"], action["url"]) == ("Action.OpenUrl", "https://sync.example.com")


async def test_a_refusal_is_said_in_the_words_of_the_other_side(client: httpx.AsyncClient) -> None:
    async with receiving(Receiver(403, "invalid_token", {"Retry-After": "17"})) as receiver:
        failure = await refusal(client, receiver.url)
    assert str(failure) == "127.0.0.1 answers 403 Forbidden: invalid_token"
    assert isinstance(failure, Retry)
    assert failure.after == 17
    assert (receiver.told, receiver.refused) == ([], 1)


async def test_a_redirect_is_not_followed(client: httpx.AsyncClient) -> None:
    async with receiving(Receiver()) as thief, receiving(Receiver(307, "", {"Location": thief.url})) as receiver:
        failure = await refusal(client, receiver.url)
    assert "leads elsewhere" in str(failure)
    assert thief.told == []


async def test_where_nobody_listens_it_is_tried_again_later(client: httpx.AsyncClient) -> None:
    async with receiving(Receiver()) as receiver:
        pass
    failure = await refusal(client, receiver.url)
    assert isinstance(failure, Retry)
    assert "127.0.0.1 cannot be reached" in str(failure)
    assert "a-secret-path" not in str(failure)


async def test_an_address_of_this_machine_is_not_called_unless_that_is_allowed() -> None:
    async with receiving(Receiver()) as receiver, make_client(Reach.INTERNET) as client:
        failure = await refusal(client, receiver.url)
    assert isinstance(failure, Rejected)
    assert "CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES" in str(failure)
    assert (receiver.told, receiver.refused) == ([], 0)


def test_no_secret_is_in_a_repr() -> None:
    url = "https://x.example/s3cret"
    for hook in (SignedHook(url, "whsec_s3cret"), SlackHook(url), TeamsHook(url)):
        assert "s3cret" not in repr(hook)
