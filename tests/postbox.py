"""A mail server's ear: a real SMTP server on the loopback interface that keeps what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

SENDER = "Countertop <receipts@corner.example>"


class Postbox:
    """What came, and how it is answered. `held`: no letter is answered until that is cleared."""

    def __init__(self, port: int, answer: str, recipient: str) -> None:
        self.port = port
        self.answer = answer
        self.recipient = recipient
        self.letters: list[Envelope] = []
        self.held = False
        self._came = asyncio.Condition()

    @property
    def url(self) -> str:
        """For `SMTP_URL`."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[EmailMessage]:
        """The letters, read."""
        return [_read(letter) for letter in self.letters]

    async def wait_for(self, count: int, within_s: float = 20.0) -> None:
        """Returns when so many letters have come."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(lambda: len(self.letters) >= count)

    async def handle_RCPT(  # noqa: N802 - the library's name and arguments
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        async with self._came:
            self.letters.append(envelope)
            self._came.notify_all()
        if self.held:
            await asyncio.get_running_loop().create_future()
        return self.answer


def _read(letter: Envelope) -> EmailMessage:
    assert isinstance(letter.content, bytes)
    return message_from_bytes(letter.content, policy=policy.default)


@asynccontextmanager
async def postbox(answer: str = "250 OK", recipient: str = "250 OK", *, port: int = 0) -> AsyncIterator[Postbox]:
    """Runs a mail server; port 0 takes a free one."""
    box = Postbox(port, answer, recipient)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", port)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
