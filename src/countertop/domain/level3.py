"""Level 3 data: what a corporate buyer's card wants to know of a purchase, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from countertop.domain.errors import Fault, Invalid
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.transaction import Transaction

MAX_ITEMS: Final = 99


@dataclass(frozen=True, slots=True)
class Item:
    """One line. Amounts in cents; `quantity`, `discount_rate` and `tax_rate` as decimal text, as they were sent."""

    description: str
    product_code: str
    commodity_code: str
    quantity: str
    unit_of_measure: str
    amount_unit_cost: Cents
    amount_total: Cents
    amount_discount: Cents = 0
    amount_tax: Cents = 0
    discount_rate: str = ""
    tax_rate: str = ""
    discount_treatment: str = ""
    debit_credit: Literal["DEBIT", "CREDIT"] = "DEBIT"
    discounted: bool = False
    gross: bool = False


@dataclass(frozen=True, slots=True)
class Level3:
    """The data of one transaction."""

    items: tuple[Item, ...]
    amount_duty: Cents = 0
    amount_freight: Cents = 0
    summary_commodity_code: str = ""
    destination_zip: str = ""
    ship_from_zip: str = ""


_TEXT_LIMITS: Final = {"description": 35, "product_code": 12, "commodity_code": 12, "unit_of_measure": 12}


def check_level3(transaction: Transaction, data: Level3, *, present: bool) -> None:
    """Raises Invalid unless this transaction may take level 3 data, and these. `present`: it has some already."""
    faults = [Fault("transactionId", "invalid", reason) for reason in _objections(transaction, present=present)]
    if not 1 <= len(data.items) <= MAX_ITEMS:
        faults.append(Fault("items", "invalid", f"There must be 1 to {MAX_ITEMS} items."))
    if any(len(getattr(item, name)) > limit for item in data.items for name, limit in _TEXT_LIMITS.items()):
        faults.append(Fault("items", "invalid", "A text of an item is too long."))
    if data.summary_commodity_code and not _short_code(data.summary_commodity_code, 4):
        faults.append(Fault("summaryCommodityCode", "invalid", "Summary Commodity Code must be at most 4 letters and digits."))
    for parameter, label, zip_code in (
        ("destinationZip", "Destination Zip", data.destination_zip),
        ("shipFromZip", "Ship From Zip", data.ship_from_zip),
    ):
        if zip_code and not _short_code(zip_code.replace("-", ""), 10):
            faults.append(Fault(parameter, "invalid", f"{label} must be at most 10 letters and digits."))
    if faults:
        raise Invalid(faults)


def _objections(transaction: Transaction, *, present: bool) -> list[str]:
    objections = {
        "Level 3 data needs an approved Transaction.": not transaction.decision.approved,
        "Level 3 data can not be added to a refund.": transaction.action is Action.REFUND,
        "Level 3 data can not be added because the Transaction has been settled.": transaction.settled,
        "The Transaction is not eligible for level 3 data.": not transaction.decision.level3_eligible,
        "The Transaction has level 3 data already.": present,
    }
    return [objection for objection, holds in objections.items() if holds]


def _short_code(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isascii() and text.isalnum()
