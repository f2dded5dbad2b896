"""What of the vendor's API is served: one row for each method of each resource that is known of it.

`docs/explanation/compatibility.md` is made of this table, and a test calls every row that says it is served.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from countertop.gateway.http.route import Method


class Row(NamedTuple):
    """One method of one resource. `remark` says what is different, or why it is not served."""

    method: Method
    path: str
    served: bool = True
    remark: str = ""


_TERMINAL: Final = "/smartterminals/{smartTerminalId}"
_TRANSACTION: Final = "/transactions/{transactionId}"
_RECEIPTS: Final = f"{_TRANSACTION}/receipts"

SERVED: Final = (
    Row("GET", "/terminals"),
    Row("GET", "/merchants", remark="`id` and `name`: the vendor's other fields are not known"),
    Row("GET", "/smartterminals", remark="from release 2026-12-01 also `online`, `screen`, `lastSeen`"),
    Row(
        "POST", f"{_TERMINAL}/request-payment", remark="refused where no payment processor is configured, and on accounts for ACH"
    ),
    Row("POST", f"{_TERMINAL}/request-signature"),
    Row("POST", f"{_TERMINAL}/request-prompt"),
    Row("POST", f"{_TERMINAL}/request-input"),
    Row("POST", f"{_TERMINAL}/request-read"),
    Row("POST", f"{_TERMINAL}/main", remark="204; 400 once the card of a payment was taken"),
    Row("GET", "/smartterminals/requests/{requestId}", remark="`?wait=SECONDS` is ours"),
    Row("GET", "/smartterminals/signatures/{signatureId}/image", remark="PNG, for a day after the request ended"),
    Row(
        "POST",
        "/webhooks",
        remark="`CUSTOMER` and `DEPOSIT` can be subscribed to and are never sent; "
        "a subscription to `SMARTTERMINAL_TRANSACTION` comes from a seed file",
    ),
    Row("GET", "/webhooks"),
    Row("PUT", "/webhooks/{webhookId}"),
    Row("DELETE", "/webhooks/{webhookId}"),
    Row(
        "POST",
        "/transactions",
        remark="from a card, a stripe, a bank account or an earlier transaction; no `tokenId`, `vaultId`, "
        "`scheduleId`, `plaidAccessToken`. Cards go to accounts of type `CARD`, bank accounts to those of type `ACH`; anything "
        "else is 400 on `terminalId`: no document says what happens then. Without `terminalId` the default account of the type "
        "is meant",
    ),
    Row("GET", "/transactions", remark="nothing has a `scheduleId`"),
    Row(
        "GET", _TRANSACTION, remark="`method` of chip cards is `CHIP`, of contactless ones `CONTACTLESS`: no document names them"
    ),
    Row("PUT", _TRANSACTION, remark="a total can not be raised above what was authorized"),
    Row("GET", f"{_TRANSACTION}/notes"),
    Row("POST", f"{_TRANSACTION}/notes"),
    Row("GET", f"{_TRANSACTION}/notes/{{noteId}}"),
    Row("PUT", f"{_TRANSACTION}/notes/{{noteId}}"),
    Row("DELETE", f"{_TRANSACTION}/notes/{{noteId}}"),
    Row("GET", _RECEIPTS),
    Row("GET", f"{_RECEIPTS}/latest"),
    Row("GET", f"{_RECEIPTS}/latest/thermal"),
    Row("GET", f"{_RECEIPTS}/latest/fullpage"),
    Row("GET", f"{_RECEIPTS}/latest/signature"),
    Row("GET", f"{_RECEIPTS}/unsigned"),
    Row("GET", f"{_RECEIPTS}/unsigned/thermal"),
    Row("GET", f"{_RECEIPTS}/unsigned/fullpage"),
    Row("GET", f"{_RECEIPTS}/{{receiptId}}"),
    Row("GET", f"{_RECEIPTS}/{{receiptId}}/thermal"),
    Row("GET", f"{_RECEIPTS}/{{receiptId}}/fullpage"),
    Row("GET", f"{_RECEIPTS}/{{receiptId}}/signature"),
    Row(
        "POST",
        f"{_RECEIPTS}/latest/email",
        remark="204 once the mail is on record; `requestSignature` adds a link to sign at, "
        "or without `PUBLIC_URL` a request to sign on paper",
    ),
    Row("POST", f"{_TRANSACTION}/signature/capture", remark="what a Scriptel pad types, or strokes as JSON, which is ours"),
    Row("POST", f"{_TRANSACTION}/level3"),
    Row("GET", f"{_TRANSACTION}/level3"),
    Row("DELETE", f"{_TRANSACTION}/level3"),
    Row("GET", "/settlements"),
    Row("GET", "/settlements/{settlementId}"),
)

_NO_SETTINGS: Final = "there is nothing to set"
_NO_CUSTOMERS: Final = "no customers are kept: contacts rest with each transaction"
_NO_CARDS_ON_FILE: Final = "no cards are kept; an earlier transaction's payer can be charged again"
_NO_SCHEDULES: Final = "nothing recurs by itself"
_NO_DEPOSITS: Final = "the bank's side is not known here"
_NO_INVOICES: Final = "no invoices are sent"
_NO_TOKENS: Final = "no script in a browser takes cards"

NOT_SERVED: Final = (
    Row("PUT", "/settings", False, _NO_SETTINGS),
    Row("GET", "/customers", False, _NO_CUSTOMERS),
    Row("POST", "/customers", False, _NO_CUSTOMERS),
    Row("GET", "/customers/{customerId}", False, _NO_CUSTOMERS),
    Row("PUT", "/customers/{customerId}", False, _NO_CUSTOMERS),
    Row("DELETE", "/customers/{customerId}", False, _NO_CUSTOMERS),
    Row("GET", "/customers/{customerId}/addresses", False, _NO_CUSTOMERS),
    Row("GET", "/customers/{customerId}/vaults", False, _NO_CARDS_ON_FILE),
    Row("GET", "/customers/{customerId}/notes", False, _NO_CUSTOMERS),
    Row("GET", "/schedules", False, _NO_SCHEDULES),
    Row("POST", "/schedules", False, _NO_SCHEDULES),
    Row("GET", "/schedules/{scheduleId}", False, _NO_SCHEDULES),
    Row("PUT", "/schedules/{scheduleId}", False, _NO_SCHEDULES),
    Row("POST", "/schedules/{scheduleId}/activate", False, _NO_SCHEDULES),
    Row("GET", "/schedules/{scheduleId}/receipts/latest", False, _NO_SCHEDULES),
    Row("GET", "/deposits", False, _NO_DEPOSITS),
    Row("GET", "/deposits/{depositId}", False, _NO_DEPOSITS),
    Row("GET", "/invoices", False, _NO_INVOICES),
    Row("POST", "/invoices", False, _NO_INVOICES),
    Row("GET", "/invoices/{invoiceId}", False, _NO_INVOICES),
    Row("POST", "/invoices/{invoiceId}/void", False, _NO_INVOICES),
    Row("POST", "/invoices/{invoiceId}/send-reminder", False, _NO_INVOICES),
    Row("POST", "/invoices/files", False, _NO_INVOICES),
    Row("GET", "/publishablekeys", False, _NO_TOKENS),
    Row("POST", "/publishablekeys", False, _NO_TOKENS),
    Row("POST", "/plaid/item/public_token/exchange", False, _NO_TOKENS),
)

TABLE: Final = SERVED + NOT_SERVED

_HEAD: Final = """\
# Compatibility

<!-- Made by `countertop docs compatibility`; a test holds it against the code and calls every row that is served. -->

Programs written for PayJunction's REST API work with the base URL changed, as far as they use what is served here. The release
of the application key, or of a `PJ-Version` header, shapes every body: a release up to `2023-05-16` answers as the vendor's
documents and recordings say; what Countertop adds to a documented body appears from its own release `2026-12-01` on.

What is not served answers 404. Parameters that a resource does not have are ignored, but for payment sources, which are refused
by name.

| Method and path | State | Remark |
|---|---|---|
"""


def compatibility_page() -> str:
    """The page of the documentation, in Markdown."""
    rows = (
        f"| `{row.method} {row.path}` | {'served' if row.served else 'not served'} |{f' {row.remark} ' if row.remark else ' '}|\n"
        for row in TABLE
    )
    return _HEAD + "".join(rows)
