"""A transaction as the wire has it: members in the documented order, those without a value left out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import CardFacts
from countertop.domain.clock import Instant
from countertop.domain.contact import Contact
from countertop.domain.intent import Action
from countertop.domain.money import format_money
from countertop.domain.releases import SERVICE, SURCHARGE, Release
from countertop.domain.response import Avs, Decision
from countertop.domain.transaction import Payer, Status, Transaction
from countertop.gateway.wire.instant import to_the_second

Percentage = Annotated[Decimal, WithJsonSchema({"type": "number"})]

METHODS: Final = {
    "KEYED": "KEYED",
    "INSTANT": "INSTANT",
    "SWIPE": "SWIPED",
    "CHIP": "CHIP",
    "TAP": "CONTACTLESS",
}
"""How the card came in, in the wire's words. Those for chip and contactless cards are ours: no document names them."""


class AppliedSurchargeBody(TypedDict):
    """The rate of the surcharge that was taken."""

    percentage: Percentage
    status: Literal["APPLIED"]


class MatchBody(TypedDict):
    """What of an address matched; absent where the issuer could not say."""

    ZIP: NotRequired[bool]
    ADDRESS: NotRequired[bool]


class AvsBody(TypedDict):
    """The address check."""

    status: Literal["REQUESTED", "NOT_REQUESTED"]
    requested: NotRequired[str]
    match: NotRequired[MatchBody]


class CvvBody(TypedDict):
    """The check of the verification value."""

    status: Literal["NOT_REQUESTED", "MATCH", "NO_MATCH"]


class ProcessorBody(TypedDict):
    """What the processor said of a card."""

    authorized: bool
    approvalCode: NotRequired[str]
    level3Eligible: NotRequired[bool]
    avs: AvsBody
    cvv: CvvBody


class ResponseBody(TypedDict):
    """The decision. A bank account has no `processor`."""

    approved: bool
    code: str
    message: str
    processor: NotRequired[ProcessorBody]


class SettledBody(TypedDict):
    """Whether the money has moved, and in which batch."""

    settled: bool
    settlementId: NotRequired[int]


class PayerBody(TypedDict):
    """What may be known of a card or a bank account."""

    type: Literal["CARD", "ACH"]
    accountType: str
    lastFour: str


class AddressBody(TypedDict, total=False):
    """Where somebody is."""

    address: str
    city: str
    state: str
    country: str
    zip: str


class ContactBody(TypedDict, total=False):
    """Somebody. Everything is optional."""

    firstName: str
    middleName: str
    lastName: str
    companyName: str
    email: str
    phone: str
    phone2: str
    jobTitle: str
    identifier: str
    website: str
    address: AddressBody


class MetadataBody(TypedDict, total=False):
    """The merchant's own reference and data."""

    externalId: str
    externalData: str


class TransactionBody(TypedDict):
    """One transaction. `service` since release 2020-04-21, `surcharge` since 2023-05-16 and only where one was taken."""

    transactionId: int
    uri: str
    terminalId: int
    action: Action
    amountBase: str
    amountTax: NotRequired[str]
    amountShipping: NotRequired[str]
    amountTip: NotRequired[str]
    amountSurcharge: NotRequired[str]
    amountSurchargeTax: NotRequired[str]
    amountFreight: NotRequired[str]
    amountReject: NotRequired[str]
    amountTotal: str
    surcharge: NotRequired[AppliedSurchargeBody]
    invoiceNumber: NotRequired[str]
    purchaseOrderNumber: NotRequired[str]
    metadata: NotRequired[MetadataBody]
    method: str
    achType: NotRequired[str]
    service: NotRequired[str]
    status: Status
    signatureStatus: NotRequired[Literal["SIGNED"]]
    created: str
    lastModified: str
    response: ResponseBody
    settlement: SettledBody
    vault: PayerBody
    billing: NotRequired[ContactBody]
    shipping: NotRequired[ContactBody]


def transaction_body(
    release: Release,
    *,
    uri: str,
    transaction: Transaction,
    terminal_id: int,
    method: str,
    service: str,
    ach_type: str | None = None,
    external_id: str = "",
    external_data: str = "",
    signed: Instant | None = None,
) -> TransactionBody:
    """The shape that a release gives it. `method` and `service` are the store's words."""
    members: dict[str, object] = {
        "transactionId": transaction.id,
        "uri": uri,
        "terminalId": terminal_id,
        "action": transaction.action,
        **amount_members(transaction.amounts),
        "surcharge": _surcharge(transaction) if release >= SURCHARGE else None,
        "invoiceNumber": transaction.details.invoice_number,
        "purchaseOrderNumber": transaction.details.purchase_order_number,
        "metadata": _filled({"externalId": external_id, "externalData": external_data}),
        "method": METHODS[method],
        "achType": ach_type,
        "service": service if release >= SERVICE else None,
        "status": transaction.status,
        "signatureStatus": None if signed is None else "SIGNED",
        "created": to_the_second(transaction.created),
        "lastModified": to_the_second(transaction.modified),
        "response": response_body(transaction.decision, transaction.payer),
        "settlement": _settlement(transaction),
        "vault": _payer(transaction.payer),
        "billing": contact_body(transaction.details.billing),
        "shipping": contact_body(transaction.details.shipping),
    }
    return _filled(members)  # type: ignore[return-value] # the members above are those of the body


def amount_members(amounts: Amounts) -> dict[str, str]:
    """The parts of a total that there are, `amountBase` always, then `amountTotal`."""
    members = {name: format_money(amounts.part(part)) for part, name in AMOUNT_NAMES.items() if amounts.part(part)}
    return {"amountBase": format_money(amounts.base), **members, "amountTotal": format_money(amounts.total)}


AMOUNT_NAMES: Final = {
    Part.BASE: "amountBase",
    Part.TAX: "amountTax",
    Part.SHIPPING: "amountShipping",
    Part.TIP: "amountTip",
    Part.SURCHARGE: "amountSurcharge",
    Part.SURCHARGE_TAX: "amountSurchargeTax",
    Part.FREIGHT: "amountFreight",
    Part.REJECT: "amountReject",
}
"""The wire's names of a total's parts, in its order."""


def response_body(decision: Decision, payer: Payer) -> ResponseBody:
    """The decision on a payment of a card or a bank account."""
    body: ResponseBody = {"approved": decision.approved, "code": decision.code, "message": decision.message}
    if isinstance(payer, CardFacts):
        body["processor"] = _filled(  # type: ignore[typeddict-item] # the members are those of the body
            {
                "authorized": decision.authorized,
                "approvalCode": decision.approval_code,
                "level3Eligible": decision.level3_eligible,
                "avs": _avs(decision.avs),
                "cvv": {"status": decision.cvv.value},
            }
        )
    return body


def _avs(avs: Avs | None) -> AvsBody:
    if avs is None:
        return {"status": "NOT_REQUESTED"}
    body: AvsBody = {"status": "REQUESTED", "requested": avs.requested.value}
    match: MatchBody = {}
    if avs.zip_matches is not None:
        match["ZIP"] = avs.zip_matches
    if avs.address_matches is not None:
        match["ADDRESS"] = avs.address_matches
    if match:
        body["match"] = match
    return body


def _surcharge(transaction: Transaction) -> AppliedSurchargeBody | None:
    if transaction.surcharge_rate is None:
        return None
    # A rate is in thousandths; the wire has it with five decimals.
    return {"percentage": Decimal(transaction.surcharge_rate * 100).scaleb(-5), "status": "APPLIED"}


def _settlement(transaction: Transaction) -> SettledBody:
    if transaction.settlement_id is None:
        return {"settled": False}
    return {"settled": True, "settlementId": transaction.settlement_id}


def _payer(payer: Payer) -> PayerBody:
    if isinstance(payer, CardFacts):
        return {"type": "CARD", "accountType": payer.brand.value, "lastFour": payer.last_four}
    return {"type": "ACH", "accountType": payer.account_type.value, "lastFour": payer.last_four}


def contact_body(contact: Contact) -> ContactBody | None:
    """What is known of somebody; None if nothing is."""
    address = {
        "address": contact.address,
        "city": contact.city,
        "state": contact.state,
        "country": contact.country,
        "zip": contact.zip,
    }
    members = {
        "firstName": contact.first_name,
        "middleName": contact.middle_name,
        "lastName": contact.last_name,
        "companyName": contact.company_name,
        "email": contact.email,
        "phone": contact.phone,
        "phone2": contact.phone2,
        "jobTitle": contact.job_title,
        "identifier": contact.identifier,
        "website": contact.website,
        "address": _filled(address),
    }
    return _filled(members) or None  # type: ignore[return-value] # the members are those of the body


def _filled(members: Mapping[str, object]) -> dict[str, object]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, "", {})}
