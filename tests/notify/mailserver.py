"""A mail server that takes messages in, as RFC 5321 says, and does what a test asks of it."""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailserver:
    """`starttls`: offered with this context. `login`: "user:password" that is asked for. `refuses`: recipients.

    `farewell`: the answer to QUIT. `greeting`: what a connection begins with.
    """

    starttls: ssl.SSLContext | None = None
    login: str = ""
    refuses: frozenset[str] = frozenset()
    greeting: str = "220 mail.example ready"
    farewell: str = "221 bye"
    port: int = 0
    connections: int = 0
    heard: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            await _say(writer, self.greeting)
            while line := (await reader.readline()).decode().strip():
                self.heard.append(line)
                if not await self._answer(line, reader, writer):
                    break
        writer.close()

    async def _answer(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        word = line.split(" ")[0].upper()
        secret = writer.get_extra_info("ssl_object") is not None
        if word == "EHLO":
            offers = ["mail.example", *(["STARTTLS"] if self.starttls and not secret else [])]
            offers += ["AUTH PLAIN"] if self.login else []
            for offer in offers:
                await _say(writer, f"250-{offer}")
            await _say(writer, "250 8BITMIME")
        elif word == "STARTTLS" and self.starttls:
            await _say(writer, "220 go on")
            await writer.start_tls(self.starttls)
        elif word == "AUTH":
            said = b64decode(line.split(" ")[2]).decode().strip("\0").replace("\0", ":")
            await _say(writer, "235 welcome" if said == self.login else "535 5.7.8 who are you")
        elif word == "RCPT" and any(each in line for each in self.refuses):
            await _say(writer, "550 5.1.1 nobody of that name")
        elif word == "DATA":
            await _say(writer, "354 go on")
            raw = await reader.readuntil(b"\r\n.\r\n")
            self.taken.append(message_from_bytes(raw[:-3].replace(b"\r\n..", b"\r\n."), policy=policy.default))
            await _say(writer, "250 taken")
        elif word == "QUIT":
            await _say(writer, self.farewell)
            return False
        else:
            await _say(writer, "250 fine")
        return True


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())
    await writer.drain()


@asynccontextmanager
async def mailserver(server: Mailserver, tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailserver]:
    """`tls`: spoken from the first byte."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", server.port, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
