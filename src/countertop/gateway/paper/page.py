"""What stands on a receipt, the two pages it is laid out on, and its text."""

from __future__ import annotations

import datetime
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from countertop.domain.amount import Part
from countertop.domain.card import CardFacts
from countertop.domain.clock import Instant
from countertop.domain.contact import Contact
from countertop.domain.intent import Action
from countertop.domain.money import format_money
from countertop.domain.transaction import Status, Transaction
from countertop.gateway.operations.paper import Paper
from countertop.gateway.wire.signature_image import signature_png

_HERE: Final = Path(__file__).parent

Layout = Literal["thermal", "fullpage"]

_PARTS: Final = {
    Part.BASE: "Amount",
    Part.TAX: "Tax",
    Part.SHIPPING: "Shipping",
    Part.FREIGHT: "Freight",
    Part.TIP: "Tip",
    Part.SURCHARGE: "Surcharge",
    Part.SURCHARGE_TAX: "Surcharge tax",
    Part.REJECT: "Return fee",
}
_TITLES: Final = {Action.CHARGE: "Sale", Action.REFUND: "Refund", Action.VERIFY: "Card verification"}
_BRANDS: Final = {
    "VISA": "Visa",
    "MASTERCARD": "Mastercard",
    "DISCOVER": "Discover",
    "AMERICAN_EXPRESS": "American Express",
    "OTHER": "Card",
    "CHECKING": "Checking account",
    "SAVINGS": "Savings account",
}
_ENTRIES: Final = {
    "CHIP": "chip",
    "TAP": "contactless",
    "SWIPE": "swiped",
    "KEYED": "keyed",
    "INSTANT": "on file",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that may stand on a receipt. `picture` is a PNG of the signature; `zone` is where the merchant's clocks are."""

    merchant: str
    transaction: Transaction
    method: str
    zone: datetime.tzinfo
    picture: bytes | None = field(default=None, repr=False)
    signed_by: str = ""

    @property
    def number(self) -> int:
        """The transaction's."""
        return self.transaction.id

    @property
    def title(self) -> str:
        """What it is a receipt of."""
        return _TITLES[self.transaction.action]

    @property
    def verdict(self) -> str:
        """What came of it, in capital letters: the first thing that anybody looks for."""
        if self.transaction.status is Status.CAPTURE:
            return "APPROVED"
        return {Status.HOLD: "APPROVED, ON HOLD", Status.VOID: "VOIDED", Status.REJECT: "RETURNED"}.get(
            self.transaction.status, "DECLINED"
        )

    @property
    def amounts(self) -> list[tuple[str, str]]:
        """The parts of the total, if there is more than one."""
        amounts = self.transaction.amounts
        parts = [(name, f"${format_money(amounts.part(part))}") for part, name in _PARTS.items() if amounts.part(part)]
        return parts if len(parts) > 1 else []

    @property
    def total(self) -> str:
        """What was paid, or given back."""
        return f"{'-' if self.transaction.action is Action.REFUND else ''}${format_money(self.transaction.amounts.total)}"

    @property
    def payer(self) -> list[tuple[str, str]]:
        """How it was paid."""
        payer, decision = self.transaction.payer, self.transaction.decision
        kind = payer.brand.value if isinstance(payer, CardFacts) else payer.account_type.value
        lines = [(_BRANDS[kind], f"•••• {payer.last_four}")]
        if isinstance(payer, CardFacts):
            lines.append(("Entry", _ENTRIES[self.method]))
        if decision.approval_code:
            lines.append(("Approval code", decision.approval_code))
        return [*lines, ("Response", f"{decision.code} {decision.message}")]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What it is known by."""
        details = self.transaction.details
        lines = [("Transaction", str(self.number)), ("Date", _time(self.transaction.created, self.zone))]
        numbers = (("Invoice", details.invoice_number), ("Purchase order", details.purchase_order_number))
        return lines + [(name, text) for name, text in numbers if text]

    @property
    def contacts(self) -> list[tuple[str, list[str]]]:
        """Whom it bills and ships to, line by line."""
        details = self.transaction.details
        both = (("Billed to", _contact(details.billing)), ("Shipped to", _contact(details.shipping)))
        return [(name, lines) for name, lines in both if lines]

    @property
    def wants_signature(self) -> bool:
        """Whether there is a line to sign on."""
        return self.transaction.signable and self.picture is None

    @property
    def picture_uri(self) -> str | None:
        """The signature inside a page."""
        return None if self.picture is None else f"data:image/png;base64,{b64encode(self.picture).decode()}"


def receipt_of(paper: Paper, zone: datetime.tzinfo) -> Receipt:
    """What stands on a receipt of the store. Draws the signature, so it takes a while: not for the event loop."""
    signature = paper.signature
    return Receipt(
        paper.name,
        paper.transaction.rules,
        paper.transaction.method,
        zone,
        None if signature is None else signature_png(signature.strokes),
        "" if signature is None else signature.signed_by,
    )


@dataclass(frozen=True, slots=True)
class Plea:
    """Words above a receipt that ask for a signature, and the address to sign at, if there is one."""

    text: str
    link: str = field(default="", repr=False)


def receipt_page(receipt: Receipt, layout: Layout, picture: str | None = None, plea: Plea | None = None) -> str:
    """A receipt as an HTML page that loads nothing. `picture` is where the signature is, if not in the page."""
    uri = picture or receipt.picture_uri
    page = _environment().get_template(f"{layout}.html")
    return page.render(receipt=receipt, picture=uri, style=style(layout), plea=plea)


def receipt_text(receipt: Receipt, plea: Plea | None = None) -> str:
    """A receipt as lines of plain text."""
    pairs = [*receipt.facts, *receipt.payer, *receipt.amounts, ("Total", receipt.total)]
    asks = [] if plea is None else [f"{plea.text}:\n{plea.link}" if plea.link else plea.text, ""]
    lines = [receipt.merchant, f"{receipt.title}: {receipt.verdict}", "", *(f"{name}: {text}" for name, text in pairs)]
    return "\n".join([*asks, *lines]) + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def style(layout: Layout) -> str:
    """The style sheet inside a page, for a policy that allows nothing else."""
    return (_HERE / f"{layout}.css").read_text(encoding="utf-8")


def _time(instant: Instant, zone: datetime.tzinfo) -> str:
    return datetime.datetime.fromtimestamp(instant // 1000, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _contact(contact: Contact) -> list[str]:
    name = " ".join(part for part in (contact.first_name, contact.middle_name, contact.last_name) if part)
    place = " ".join(part for part in (contact.city, contact.state, contact.zip) if part)
    lines = (contact.company_name, name, contact.address, place, contact.country, contact.phone, contact.email)
    return [text for text in lines if text]
