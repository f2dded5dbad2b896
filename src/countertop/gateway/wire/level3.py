"""Level 3 data of a transaction, as it is sent and shown: a few amounts and codes, and the lines of the purchase."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from countertop.domain.level3 import Item, Level3
from countertop.domain.money import format_money


class ItemBody(TypedDict):
    """One line. What is empty is left out."""

    description: NotRequired[str]
    productCode: NotRequired[str]
    commodityCode: NotRequired[str]
    quantity: NotRequired[str]
    unitOfMeasure: NotRequired[str]
    amountUnitCost: str
    amountDiscount: str
    amountTax: str
    amountTotal: str
    discountRate: NotRequired[str]
    discountIndicator: Literal["DISCOUNTED", "NOT_DISCOUNTED"]
    discountTreatment: NotRequired[str]
    taxRate: NotRequired[str]
    debitCreditIndicator: Literal["DEBIT", "CREDIT"]
    grossNetIndicator: Literal["GROSS", "NET"]


class Level3Body(TypedDict):
    """The data of one transaction. What is empty is left out."""

    amountDuty: str
    amountFreight: str
    summaryCommodityCode: NotRequired[str]
    destinationZip: NotRequired[str]
    shipFromZip: NotRequired[str]
    items: list[ItemBody]


def level3_body(data: Level3) -> Level3Body:
    """The same in every release."""
    members = {
        "amountDuty": format_money(data.amount_duty),
        "amountFreight": format_money(data.amount_freight),
        "summaryCommodityCode": data.summary_commodity_code or None,
        "destinationZip": data.destination_zip or None,
        "shipFromZip": data.ship_from_zip or None,
        "items": [_item(item) for item in data.items],
    }
    return {name: value for name, value in members.items() if value is not None}  # type: ignore[return-value] # those of the body


def _item(item: Item) -> dict[str, str | None]:
    return {
        "description": item.description or None,
        "productCode": item.product_code or None,
        "commodityCode": item.commodity_code or None,
        "quantity": item.quantity or None,
        "unitOfMeasure": item.unit_of_measure or None,
        "amountUnitCost": format_money(item.amount_unit_cost),
        "amountDiscount": format_money(item.amount_discount),
        "amountTax": format_money(item.amount_tax),
        "amountTotal": format_money(item.amount_total),
        "discountRate": item.discount_rate or None,
        "discountIndicator": "DISCOUNTED" if item.discounted else "NOT_DISCOUNTED",
        "discountTreatment": item.discount_treatment or None,
        "taxRate": item.tax_rate or None,
        "debitCreditIndicator": item.debit_credit,
        "grossNetIndicator": "GROSS" if item.gross else "NET",
    }
