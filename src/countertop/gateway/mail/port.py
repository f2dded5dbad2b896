"""What the gateway asks of whoever sends its mails on, and how that may fail."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Protocol


class NotMailed(Exception):
    """A mail was not taken by the server that should send it on. The text is fit for an operator and quotes no address.

    `final`: the address is refused for good, so trying again would not help.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Mailer(Protocol):
    """Who sends mails."""

    async def send(self, merchant_id: str, mail_id: str, message: EmailMessage) -> None:
        """Sends a merchant's mail, which lacks nothing but its sender. Raises NotMailed.

        The same `mail_id` is the same mail, which may come twice: a receiver can tell.
        """
        ...
