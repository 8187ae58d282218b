"""Messages by e-mail: one connection for each, to an address that was judged as a vendor's is."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from app.errors import CrossledgerError, Rejected, Retry
from app.notify.messages import Message
from app.notify.targets import Mailbox, Security
from app.providers import client
from app.providers.addresses import MOST, Reach, Resolver, permitted, refuse_metadata

PATIENCE = 15.0
"""Seconds for each step of the conversation with the server."""
_READY = 220


class _Session(smtplib.SMTP):
    """Goes to an address that is given, whatever the host's name stands for by now; TLS is checked against the name."""

    address = ""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.address, port), timeout)


class _TlsSession(smtplib.SMTP_SSL, _Session):
    """The same, with TLS from the first byte."""


async def send(box: Mailbox, message: Message, *, reach: Reach, resolver: Resolver) -> str:
    """Returns what went wrong all the same: recipients who were refused beside others who were not.

    Raises Retry, Rejected with what went wrong.
    """
    refuse_metadata(box.host)
    try:
        async with asyncio.timeout(PATIENCE):
            found = await resolver(box.host, box.port)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise Retry(f"the name {box.host} is not found: {error or 'no answer in time'}") from error
    addresses = permitted(box.host, found, reach)[:MOST]
    context = client.trusted()
    try:
        return await asyncio.to_thread(_send, box, written(box, message), addresses, context)
    except OSError as error:  # what smtplib raises is one as well
        raise _named(box, error) from error


def written(box: Mailbox, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"Crossledger: {message.title}"
    mail["From"] = box.sender
    mail["To"] = ", ".join(box.recipients)
    mail["Date"] = format_datetime(datetime.fromisoformat(message.at))
    mail["Message-ID"] = f"<{message.id}.{_digits(message.at)}@{_domain(box)}>"
    mail["Auto-Submitted"] = "auto-generated"  # nobody's holiday answers it
    parts = [message.text, f"What to do: {message.cure}" if message.cure else "", message.url]
    mail.set_content("\n\n".join(part for part in parts if part) + "\n")
    return mail


def _send(box: Mailbox, mail: EmailMessage, addresses: Sequence[str], context: ssl.SSLContext) -> str:
    session = _connected(box, addresses, context)
    try:
        if box.security is Security.STARTTLS:
            session.starttls(context=context)
        if box.username:
            session.login(box.username, box.password)
        return _refusals(session.send_message(mail))
    finally:
        with suppress(OSError):  # what was accepted is not undone by a farewell that fails
            session.quit()
        session.close()


def _connected(box: Mailbox, addresses: Sequence[str], context: ssl.SSLContext) -> smtplib.SMTP:
    """To the first of the addresses that answers."""
    failure = OSError("the name has no address")
    for address in addresses:
        session = _session(box, context)
        session.address = address
        try:
            code, said = session.connect(box.host, box.port)
            if code != _READY:
                raise smtplib.SMTPConnectError(code, said)
        except OSError as error:
            session.close()
            failure = error
        else:
            return session
    raise failure


def _session(box: Mailbox, context: ssl.SSLContext) -> _Session:
    if box.security is Security.TLS:
        session: _Session = _TlsSession(local_hostname=_domain(box), timeout=PATIENCE, context=context)
    else:
        session = _Session(local_hostname=_domain(box), timeout=PATIENCE)
    session._host = box.host  # type: ignore[attr-defined] # what its certificate is to be for
    return session


def _named(box: Mailbox, error: Exception) -> CrossledgerError:
    """In words, with those of the server."""
    server = f"{box.host}:{box.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return Rejected(f"{server} has no certificate that can be trusted: {error.verify_message}")
        case ssl.SSLError():
            return Rejected(f"{server} does not speak TLS as expected ({error.reason}): try another `security` or port")
        case smtplib.SMTPAuthenticationError():
            return Rejected(f"{server} refuses the user name or the password: {_said(error)}")
        case smtplib.SMTPRecipientsRefused():
            return Rejected(f"{server} refuses {_refusals(error.recipients)}")
        case smtplib.SMTPSenderRefused():
            return Rejected(f"{server} refuses the sender {error.sender}: {_said(error)}")
        case smtplib.SMTPResponseException():
            return Retry(f"{server} answers {_said(error)}")
        case smtplib.SMTPNotSupportedError():
            return Rejected(f"{server} cannot do what is asked of it: {error}")
        case smtplib.SMTPServerDisconnected():
            return Retry(f"{server} ended the conversation: {error}")
    return Retry(f"{server} cannot be reached: {error or type(error).__name__}")


def _said(error: smtplib.SMTPResponseException) -> str:
    return _words(error.smtp_code, error.smtp_error)


def _refusals(refused: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{to}: {_words(code, said)}" for to, (code, said) in sorted(refused.items()))


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())[:200]}".strip()


def _domain(box: Mailbox) -> str:
    return box.sender.rpartition("@")[2]


def _digits(at: str) -> str:
    return "".join(c for c in at if c.isdigit())
