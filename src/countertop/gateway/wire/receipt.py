"""A receipt: who signed for what, and where its documents are."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from countertop.domain.clock import Instant
from countertop.domain.money import Cents, format_money
from countertop.gateway.wire.instant import to_the_second


class UriBody(TypedDict):
    """Where something is."""

    uri: str


class SignerBody(TypedDict):
    """Who signed; empty for a customer at a terminal."""

    ipAddress: NotRequired[str]
    name: NotRequired[str]


class SignatureBody(TypedDict):
    """A signature."""

    signedBy: SignerBody
    dateSigned: str
    source: str
    image: UriBody


class DocumentsBody(TypedDict):
    """The receipt as HTML, for a roll of paper and for a sheet."""

    thermal: UriBody
    fullpage: UriBody


class ActionsBody(TypedDict):
    """What can be done with a receipt."""

    email: UriBody


class ReceiptBody(TypedDict):
    """One receipt. `signatureUpToDate`: the total is still what was signed for."""

    uri: str
    signatureStatus: NotRequired[Literal["SIGNED"]]
    terms: str
    signatureUpToDate: NotRequired[bool]
    signature: NotRequired[SignatureBody]
    documents: DocumentsBody
    actions: ActionsBody
    created: str
    lastModified: str


def signature_body(uri: str, *, signed: Instant, source: str, signed_by: str = "", address: str = "") -> SignatureBody:
    """The signature on the receipt at `uri`. `address` is an IP address, empty at a terminal."""
    signer: SignerBody = {}
    if address:
        signer["ipAddress"] = address
    if signed_by:
        signer["name"] = signed_by
    return {
        "signedBy": signer,
        "dateSigned": to_the_second(signed),
        "source": source,
        "image": {"uri": f"{uri}/signature"},
    }


def receipt_body(
    uri: str,
    *,
    email_uri: str,
    total: Cents,
    created: Instant,
    modified: Instant,
    signature: SignatureBody | None = None,
    up_to_date: bool = False,
) -> ReceiptBody:
    """The receipt at `uri`. `total` is what was signed for, or, without a signature, the transaction's."""
    signed = signature is not None
    members = {
        "uri": uri,
        "signatureStatus": "SIGNED" if signed else None,
        "terms": format_money(total),
        "signatureUpToDate": up_to_date if signed else None,
        "signature": signature,
        "documents": {"thermal": {"uri": f"{uri}/thermal"}, "fullpage": {"uri": f"{uri}/fullpage"}},
        "actions": {"email": {"uri": email_uri}},
        "created": to_the_second(created),
        "lastModified": to_the_second(modified),
    }
    return {name: value for name, value in members.items() if value is not None}  # type: ignore[return-value] # those of the body
