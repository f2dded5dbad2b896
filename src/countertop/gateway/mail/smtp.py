"""Mails by SMTP, each over a connection of its own: receipts are few, and nobody waits for a server that is out of reach."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from countertop.gateway.mail.port import NotMailed
from countertop.gateway.settings import Settings

WITHIN_S: Final = 15.0
"""How long the mail server gets for one thing that it is told."""


class SmtpMailer:
    """Sends mails through one server. Implements `countertop.gateway.mail.port.Mailer`.

    `smtp://` speaks in the clear until the server offers TLS, and then insists on a certificate that is vouched for; `smtps://`
    speaks TLS from the start. Login and password may be in the URL.
    """

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self._sender = sender
        self._host = parts.hostname or "localhost"
        self._port = parts.port
        self._tls = parts.scheme == "smtps"
        self._login = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, merchant_id: str, mail_id: str, message: EmailMessage) -> None:
        """Sends a mail. Raises NotMailed if the server does not take it."""
        del merchant_id  # all merchants' mails go the same way
        message["From"] = self._sender
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{mail_id}@{self._sender.rpartition('@')[2].strip('> ')}>"
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._login,
                password=self._password,
                use_tls=self._tls,
                timeout=WITHIN_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            final = all(recipient.code >= 500 for recipient in refused.recipients)
            raise NotMailed("The mail server does not take mails to this address.", final=final) from None
        except (aiosmtplib.SMTPException, OSError, ValueError):
            raise NotMailed("The mail server did not take the mail.") from None


def configured_mailer(settings: Settings) -> SmtpMailer | None:
    """The mail server that the settings name; None if they name none."""
    if settings.smtp_url is None or settings.smtp_from is None:
        return None
    return SmtpMailer(settings.smtp_url.get_secret_value(), settings.smtp_from)
