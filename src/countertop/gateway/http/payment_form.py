"""The parameters that payments share, wherever they are made: amounts, contacts, numbers, what a merchant says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from countertop.domain.amount import Part
from countertop.domain.contact import Contact
from countertop.domain.errors import NotReadable
from countertop.domain.money import MAX_AMOUNT, Cents, parse_money
from countertop.domain.transaction import Details
from countertop.gateway.http.form import LINE, LINES, Form, Values

MAX_NOTE: Final = 2048


def _money(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return parse_money(text)
    except NotReadable:
        raise ValueError("no amount") from None


def _phone(text: object) -> object:
    if isinstance(text, str) and text and sum(letter.isdigit() for letter in text) < 10:
        raise ValueError("no phone number")
    return text


_DOLLARS: Final = {"type": "string", "pattern": r"^([0-9]{1,5}(\.[0-9]{1,2})?)?$", "examples": ["1.00"]}
"""What the description promises to take: a little less than is taken. Empty is as if it were left out."""
Money = Annotated[int, Field(ge=0, le=MAX_AMOUNT), BeforeValidator(_money), WithJsonSchema(_DOLLARS)]
"""Dollars in, cents out."""

Email = Annotated[str, StringConstraints(max_length=128, pattern=r"^$|^[^\s@<>\x00-\x20\x7F]+@[^\s@<>\x00-\x20\x7F]+$")]
Note = Annotated[str, StringConstraints(max_length=MAX_NOTE, pattern=LINES)]
External = Annotated[str, StringConstraints(max_length=36, pattern=r"^[ -~]*$")]
_PHONE: Final = {"type": "string", "maxLength": 24, "pattern": r"^([0-9 ()+.-]{0,7}[0-9]{10})?$"}
Phone = Annotated[str, StringConstraints(max_length=24, pattern=LINE), BeforeValidator(_phone), WithJsonSchema(_PHONE)]


Line12 = Annotated[str, StringConstraints(max_length=12, pattern=LINE)]
Line16 = Annotated[str, StringConstraints(max_length=16, pattern=LINE)]
Line32 = Annotated[str, StringConstraints(max_length=32, pattern=LINE)]
Line64 = Annotated[str, StringConstraints(max_length=64, pattern=LINE)]
Line128 = Annotated[str, StringConstraints(max_length=128, pattern=LINE)]


def _named(name: str, description: str | None = None) -> Any:
    return Field(default=None, alias=name, description=description)


class AmountForm(Form):
    """The parts of a total. What is left out is None."""

    amount_base: Money | None = _named("amountBase", "The base amount, in dollars")
    amount_tax: Money | None = _named("amountTax")
    amount_shipping: Money | None = _named("amountShipping")
    amount_tip: Money | None = _named("amountTip")
    amount_surcharge: Money | None = _named(
        "amountSurcharge", "Only on an account without a surcharge of its own; on others `0.00`, or nothing, takes none this time"
    )
    amount_surcharge_tax: Money | None = _named("amountSurchargeTax")
    amount_freight: Money | None = _named("amountFreight")
    amount_reject: Money | None = _named("amountReject", "The fee for charging a rejected bank account again")

    def amounts(self) -> dict[Part, Cents]:
        """The parts that were sent, in cents."""
        sent = ((part, getattr(self, f"amount_{part.value}")) for part in Part)
        return {part: amount for part, amount in sent if amount is not None}


def surcharge_switched_off(values: Values) -> bool:
    """Whether a form says, by an empty value, that no surcharge is to be taken; a zero says the same as an amount."""
    return values.get("amountSurcharge") == [""]


class ContactForm(Form):
    """Whom a transaction bills and ships to, and the merchant's numbers for it. What is left out is None."""

    invoice_number: Line32 | None = _named("invoiceNumber", "The same card, total and number within ten minutes is a duplicate")
    purchase_order_number: Line32 | None = _named("purchaseOrderNumber")
    billing_identifier: Line64 | None = _named("billingIdentifier")
    billing_first_name: Line16 | None = _named("billingFirstName")
    billing_middle_name: Line32 | None = _named("billingMiddleName")
    billing_last_name: Line32 | None = _named("billingLastName")
    billing_company_name: Line64 | None = _named("billingCompanyName")
    billing_job_title: Line32 | None = _named("billingJobTitle")
    billing_phone: Phone | None = _named("billingPhone", "At least ten digits")
    billing_phone2: Phone | None = _named("billingPhone2", "At least ten digits")
    billing_email: Email | None = _named("billingEmail", "Where a receipt is offered to be sent")
    billing_website: Line128 | None = _named("billingWebsite")
    billing_address: Line128 | None = _named("billingAddress")
    billing_city: Line32 | None = _named("billingCity")
    billing_state: Line32 | None = _named("billingState")
    billing_zip: Line12 | None = _named("billingZip")
    billing_country: Line32 | None = _named("billingCountry")
    shipping_identifier: Line64 | None = _named("shippingIdentifier")
    shipping_first_name: Line16 | None = _named("shippingFirstName")
    shipping_middle_name: Line32 | None = _named("shippingMiddleName")
    shipping_last_name: Line32 | None = _named("shippingLastName")
    shipping_company_name: Line64 | None = _named("shippingCompanyName")
    shipping_job_title: Line32 | None = _named("shippingJobTitle")
    shipping_phone: Phone | None = _named("shippingPhone", "At least ten digits")
    shipping_phone2: Phone | None = _named("shippingPhone2", "At least ten digits")
    shipping_email: Email | None = _named("shippingEmail")
    shipping_website: Line128 | None = _named("shippingWebsite")
    shipping_address: Line128 | None = _named("shippingAddress")
    shipping_city: Line32 | None = _named("shippingCity")
    shipping_state: Line32 | None = _named("shippingState")
    shipping_zip: Line12 | None = _named("shippingZip")
    shipping_country: Line32 | None = _named("shippingCountry")

    def contact(self, whose: str) -> dict[str, str]:
        """What was sent of the `billing` or `shipping` contact, by the names of `domain.contact`."""
        sent = ((part.name, getattr(self, f"{whose}_{part.name}")) for part in fields(Contact))
        return {name: text for name, text in sent if text is not None}

    def details(self) -> Details:
        """All of it, for a new transaction."""
        return Details(
            self.invoice_number or "",
            self.purchase_order_number or "",
            Contact(**self.contact("billing")),
            Contact(**self.contact("shipping")),
        )


class ExternalForm(Form):
    """The merchant's own reference and data. What is left out is None."""

    external_id: External | None = _named("metadata[externalId]")
    external_data: External | None = _named("metadata[externalData]")


def clearable(form: type[Form]) -> Iterator[str]:
    """The parameters of a form that may be sent empty to clear what is there: texts, not amounts or choices."""
    for model in (ContactForm, ExternalForm):
        if issubclass(form, model):
            yield from (field.alias or name for name, field in model.model_fields.items())


def without_empties(values: Values, kept: frozenset[str]) -> Mapping[str, Any]:
    """A form's values without those that were sent empty, but for the names that may be."""
    return {name: sent for name, sent in values.items() if sent != [""] or name in kept}
