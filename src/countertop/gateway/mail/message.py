"""A receipt as a mail: its text, its page, the signature inside it."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Final

from countertop.domain.mail import Mail
from countertop.gateway.paper.page import Plea, Receipt, receipt_page, receipt_text

_PICTURE: Final = "signature@receipt"


SIGN_HERE: Final = "Please sign this receipt"
SIGN_AND_ANSWER: Final = "Please sign this receipt: print it, sign on the line, and send it back by answering this mail."


def receipt_message(mail: Mail, receipt: Receipt, link: str = "") -> EmailMessage:
    """The message, which lacks its sender. `link` is where the receipt can be signed; empty: only on paper."""
    plea = None
    if mail.asks and receipt.wants_signature:
        plea = Plea(SIGN_HERE, link) if link else Plea(SIGN_AND_ANSWER)
    message = EmailMessage()
    message["To"] = mail.to
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    message["Subject"] = " ".join(f"Receipt from {receipt.merchant}: {receipt.total}".split())
    message.set_content(receipt_text(receipt, plea))
    if receipt.picture is None:
        message.add_alternative(receipt_page(receipt, "fullpage", plea=plea), subtype="html")
        return message
    page = EmailMessage()
    page.set_content(receipt_page(receipt, "fullpage", f"cid:{_PICTURE}"), subtype="html")
    page.add_related(receipt.picture, "image", "png", cid=f"<{_PICTURE}>", disposition="inline")
    message.make_alternative()
    message.attach(page)
    return message
