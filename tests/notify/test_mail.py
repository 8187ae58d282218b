"""E-mail as a server gets it, and what is said where it does not take it."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.errors import CrossledgerError, Rejected, Retry
from app.notify.mail import send
from app.notify.messages import trial
from app.notify.targets import Mailbox, Security
from app.providers.addresses import Reach
from tests.notify.mailserver import Mailserver, mailserver

MESSAGE = replace(
    trial("Main", datetime(2026, 11, 21, 12, tzinfo=UTC), "https://sync.example.com"),
    title="“Main street” needs to be reconnected",
    text=".A text that begins with a dot, and has an ü.",
    cure="Make a new token.",
)
BOX = Mailbox(
    host="mail.example",
    port=0,
    security=Security.NONE,
    sender="crossledger@example.com",
    recipients=("ada@example.com", "ben@example.com"),
)


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


Certified = Callable[[str], ssl.SSLContext]


async def sent(server: Mailserver, reach: Reach = Reach.PRIVATE_TOO, **box: Any) -> str:
    changed = replace(BOX, **{"port": server.port, **box})
    return await send(changed, MESSAGE, reach=reach, resolver=here)


async def refusal(server: Mailserver, **box: Any) -> CrossledgerError:
    with pytest.raises(CrossledgerError) as failure:
        await sent(server, **box)
    assert server.taken == []
    return failure.value


async def test_a_message_arrives_whole() -> None:
    async with mailserver(Mailserver()) as server:
        assert await sent(server) == ""
    (mail,) = server.taken
    assert mail["subject"] == "Crossledger: “Main street” needs to be reconnected"
    assert (mail["from"], mail["to"]) == ("crossledger@example.com", "ada@example.com, ben@example.com")
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == (
        ".A text that begins with a dot, and has an ü.\n\nWhat to do: Make a new token.\n\nhttps://sync.example.com\n"
    )
    assert "ehlo example.com" in server.heard


async def test_the_same_message_has_the_same_id_each_time() -> None:
    async with mailserver(Mailserver()) as server:
        for _ in range(2):
            await sent(server)
    one, again = server.taken
    assert one["message-id"] == again["message-id"]


async def test_with_starttls_user_and_password_travel_in_secret(certified: Certified) -> None:
    async with mailserver(Mailserver(starttls=certified("mail.example"), login="ada:s3cret-word")) as server:
        assert await sent(server, security=Security.STARTTLS, username="ada", password="s3cret-word") == ""
        assert [line.split()[0].upper() for line in server.heard[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert len(server.taken) == 1


async def test_with_tls_from_the_first_byte(certified: Certified) -> None:
    tls = certified("mail.example")
    async with mailserver(Mailserver(login="ada:s3cret-word"), tls) as server:
        assert await sent(server, security=Security.TLS, username="ada", password="s3cret-word") == ""
    assert len(server.taken) == 1


async def test_a_server_that_takes_starttls_away_gets_no_password_and_no_message() -> None:
    async with mailserver(Mailserver(login="ada:s3cret-word")) as server:
        failure = await refusal(server, security=Security.STARTTLS, username="ada", password="s3cret-word")
    assert "STARTTLS" in str(failure)
    assert not any(line.upper().startswith(("AUTH", "MAIL")) for line in server.heard)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_of_another_name_gets_nothing(certified: Certified, security: Security) -> None:
    tls = certified("other.example")
    server = Mailserver(starttls=tls if security is Security.STARTTLS else None)
    async with mailserver(server, tls if security is Security.TLS else None):
        failure = await refusal(server, security=security, username="ada", password="s3cret-word")
    assert isinstance(failure, Rejected)
    assert "certificate" in str(failure)
    assert "mail.example" in str(failure)


async def test_tls_towards_a_server_that_speaks_none_says_so(certified: Certified) -> None:
    certified("mail.example")
    async with mailserver(Mailserver()) as server:
        assert "does not speak TLS" in str(await refusal(server, security=Security.TLS))


async def test_a_wrong_password_is_said_in_the_words_of_the_server(certified: Certified) -> None:
    async with mailserver(Mailserver(starttls=certified("mail.example"), login="ada:right-word")) as server:
        failure = await refusal(server, security=Security.STARTTLS, username="ada", password="wrong-word")
    assert str(failure).endswith("refuses the user name or the password: 535 5.7.8 who are you")
    assert "wrong-word" not in str(failure)


async def test_one_recipient_who_is_refused_does_not_keep_it_from_the_others() -> None:
    async with mailserver(Mailserver(refuses=frozenset({"ben@"}))) as server:
        assert await sent(server) == "ben@example.com: 550 5.1.1 nobody of that name"
    assert len(server.taken) == 1


async def test_where_all_recipients_are_refused_nothing_is_sent() -> None:
    async with mailserver(Mailserver(refuses=frozenset({"ben@", "ada@"}))) as server:
        failure = await refusal(server)
    assert "ada@example.com: 550 5.1.1 nobody of that name; ben@example.com: 550" in str(failure)


async def test_what_was_taken_is_sent_however_the_server_says_good_bye() -> None:
    async with mailserver(Mailserver(farewell="421 no good bye")) as server:
        assert await sent(server) == ""
    assert len(server.taken) == 1


async def test_a_server_that_is_busy_or_away_is_tried_again_later() -> None:
    async with mailserver(Mailserver(greeting="421 4.3.2 too busy")) as server:
        busy = await refusal(server)
    assert isinstance(busy, Retry)
    assert "421 4.3.2 too busy" in str(busy)
    away = await refusal(server)
    assert isinstance(away, Retry)
    assert f"mail.example:{server.port} cannot be reached" in str(away)


async def test_a_name_that_is_not_found_says_so() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    with pytest.raises(Retry, match=r"the name mail\.example is not found: Name or service not known"):
        await send(BOX, MESSAGE, reach=Reach.INTERNET, resolver=nobody)


async def test_a_mail_server_of_this_machine_is_not_called_unless_that_is_allowed() -> None:
    async with mailserver(Mailserver()) as server:
        failure = await refusal(server, reach=Reach.INTERNET)
    assert isinstance(failure, Rejected)
    assert "CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES" in str(failure)
    assert server.connections == 0


async def test_a_clouds_metadata_is_never_called() -> None:
    box = replace(BOX, host="metadata.google.internal")
    with pytest.raises(Rejected, match="never called"):
        await send(box, MESSAGE, reach=Reach.PRIVATE_TOO, resolver=here)


async def test_the_second_address_of_a_name_is_tried_where_the_first_is_dead() -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with mailserver(Mailserver()) as server:
        assert await send(replace(BOX, port=server.port), MESSAGE, reach=Reach.PRIVATE_TOO, resolver=two) == ""


def test_the_password_is_in_no_repr() -> None:
    assert "s3cret" not in repr(replace(BOX, password="s3cret-word"))
