"""The mails of a test server: none leaves it, all of the latest can be read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from typing_extensions import TypedDict

from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.route import Route
from countertop.gateway.wire.page import PageBody

MOST_KEPT: Final = 200


class MailBody(TypedDict):
    """A mail that would have been sent."""

    to: str
    replyTo: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail, and whose it is."""

    merchant_id: str
    message: EmailMessage


class Outbox:
    """Keeps the latest mails instead of sending them. Implements `countertop.gateway.mail.port.Mailer`."""

    def __init__(self) -> None:
        self.kept: deque[Kept] = deque(maxlen=MOST_KEPT)
        """The mails, the newest first."""

    async def send(self, merchant_id: str, mail_id: str, message: EmailMessage) -> None:
        """Keeps a mail."""
        del mail_id  # it comes once: nothing fails here
        self.kept.appendleft(Kept(merchant_id, message))

    def routes(self) -> list[Route]:
        """The one there is."""
        return [
            Route("GET", "/test/mails", self.list_all, "List the mails that were sent", answer=PageBody[MailBody], query=PAGE)
        ]

    async def list_all(self, call: Call) -> Answer:
        """`GET /test/mails`."""
        page = page_of(call)
        mine = [kept.message for kept in self.kept if kept.merchant_id == call.caller.merchant_id]
        return page_answer(call, page, [_body(message) for message in mine[page.offset : page.offset + page.limit + 1]])


def _body(message: EmailMessage) -> MailBody:
    return {
        "to": str(message["To"]),
        "replyTo": str(message["Reply-To"] or ""),
        "subject": str(message["Subject"]),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
    }


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())
