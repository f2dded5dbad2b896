"""Transactions: made by the API, found, changed."""

from __future__ import annotations

import asyncio
import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from countertop.domain.amount import Part
from countertop.domain.clock import Instant
from countertop.domain.errors import Fault, Invalid, NotFound
from countertop.domain.hint import TransactionHint
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.response import AvsMode
from countertop.domain.sealed_card import seal_card
from countertop.domain.transaction import Status
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import Disconnected, Problem, failure, retry_after
from countertop.gateway.http.form import Number, Reader, Values
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.page import PageQuery, page_answer
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payer import BankAccount, PayerReader, without_secrets
from countertop.gateway.http.payment import NO_PROCESSOR
from countertop.gateway.http.payment_form import (
    AmountForm,
    ContactForm,
    External,
    ExternalForm,
    Line16,
    Line32,
    Line64,
    Money,
    Note,
    clearable,
    surcharge_switched_off,
    without_empties,
)
from countertop.gateway.http.route import Route
from countertop.gateway.http.waiting import ASK_AGAIN, Waiting, ring
from countertop.gateway.operations.payment import fingerprint_key
from countertop.gateway.operations.transaction import (
    CreateTransaction,
    EditTransaction,
    StoredTransaction,
    create_transaction,
    edit_transaction,
    find_transaction,
    search_transactions,
)
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.wire.json import write
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.transaction import TransactionBody, transaction_body

LONGEST_WAIT_S: Final = 75.0
"""How long a decision is waited for: longer than any processor may take, and than its reversal takes to be on record."""
STOPPING_WAIT_S: Final = 2.0
"""The same once the server stops."""

Digits = Annotated[str, StringConstraints(max_length=23)]


class TransactionForm(AmountForm, ContactForm, ExternalForm):
    """A new transaction. Exactly one payment source: a card, a stripe, a bank account, or an earlier transaction's."""

    card_number: Annotated[Digits | None, Field(alias="cardNumber", repr=False, description="With or without blanks")] = None
    card_exp_month: Annotated[str | None, Field(alias="cardExpMonth", repr=False, description="1 to 12")] = None
    card_exp_year: Annotated[str | None, Field(alias="cardExpYear", repr=False, description="Four digits, or two")] = None
    card_cvv: Annotated[str | None, Field(alias="cardCvv", repr=False)] = None
    card_track: Annotated[str | None, Field(alias="cardTrack", repr=False, description="Tracks 1 and 2 as swiped")] = None
    ach_routing_number: Annotated[str | None, Field(alias="achRoutingNumber", repr=False)] = None
    ach_account_number: Annotated[str | None, Field(alias="achAccountNumber", repr=False)] = None
    ach_account_type: Annotated[str | None, Field(alias="achAccountType", description="CHECKING, SAVINGS")] = None
    ach_type: Annotated[str | None, Field(alias="achType", description="PPD, CCD, TEL, WEB")] = None
    transaction_id: Annotated[
        Number | None, Field(alias="transactionId", description="Its payer is meant; what is not sent is as it was there")
    ] = None
    action: Literal["CHARGE", "REFUND", "VERIFY"] | None = None
    status: Literal["CAPTURE", "HOLD", "VOID"] = "CAPTURE"
    terminal_id: Annotated[Number | None, Field(alias="terminalId", description="Left out: the default account")] = None
    note: Note | None = None
    avs: Annotated[AvsMode, Field(description="What of the billing address must match")] = AvsMode.OFF
    cvv: Annotated[Literal["ON", "OFF"], Field(description="Whether `cardCvv` must match")] = "OFF"


class EditForm(AmountForm, ContactForm, ExternalForm):
    """What is to change; what is left out stays."""

    status: Literal["CAPTURE", "HOLD", "VOID"] | None = None


def _instant(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        # A plus sign that was not escaped has become a blank.
        time = datetime.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError("no time") from None
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return (time - _EPOCH) // datetime.timedelta(milliseconds=1)


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DATE: Final = r"[12][0-9]{3}-(0[1-9]|1[0-2])-([01][0-9]|2[0-8])"
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][01][0-9]:[0-5][0-9])"
_TIME: Final = {"type": "string", "pattern": f"^({_DATE}T{_CLOCK})?$", "examples": ["2026-12-01T00:00:00Z"]}
Time = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_TIME)]


class SearchQuery(PageQuery):
    """What transactions must be like, and which part of the list is wanted."""

    action: Action | None = None
    amount_total: Annotated[Money | None, Field(alias="amountTotal")] = None
    billing_first_name: Annotated[Line16 | None, Field(alias="billingFirstName")] = None
    billing_last_name: Annotated[Line32 | None, Field(alias="billingLastName")] = None
    billing_identifier: Annotated[Line64 | None, Field(alias="billingIdentifier")] = None
    start: Annotated[Time | None, Field(alias="startDate", description="Made then or later")] = None
    end: Annotated[Time | None, Field(alias="endDate", description="Made then or earlier")] = None
    invoice_number: Annotated[Line32 | None, Field(alias="invoiceNumber")] = None
    purchase_order_number: Annotated[Line32 | None, Field(alias="purchaseOrderNumber")] = None
    last_four: Annotated[str | None, Field(alias="lastFour", pattern="^([0-9]{4})?$")] = None
    external_id: Annotated[External | None, Field(alias="metadata[externalId]")] = None
    external_data: Annotated[External | None, Field(alias="metadata[externalData]")] = None
    schedule_id: Annotated[Number | None, Field(alias="scheduleId", description="There are no schedules, so nothing has one")] = (
        None
    )
    service: Literal["API", "INVOICE", "MOBILE", "QUICKSHOP", "RECURRING", "SMART_TERMINAL", "VIRTUAL_TERMINAL"] | None = None
    settlement_id: Annotated[Number | None, Field(alias="settlementId", description="0: those not settled yet")] = None
    status: Status | None = None
    terminal_id: Annotated[Number | None, Field(alias="terminalId")] = None
    transaction_id: Annotated[Number | None, Field(alias="transactionId")] = None

    def filters(self) -> dict[str, Any]:
        """The filters that were sent, by the store's names."""
        sent = self.model_dump(mode="json", exclude={"offset", "limit", "schedule_id"}, exclude_none=True)
        if self.end is not None:
            sent["end"] = _end_of_second(self.end)
        if sent.get("settlement_id") == 0:
            del sent["settlement_id"]
            sent["unsettled"] = True
        return sent


def _end_of_second(instant: Instant) -> Instant:
    """Resources show whole seconds, so who asks up to one that was shown means all of it."""
    return instant if instant % 1000 else instant + 999


_FORM: Final = Reader(TransactionForm, "label")
_EDIT: Final = Reader(EditForm, "label", empties=True)
_SEARCH: Final = Reader(SearchQuery, "label")
_CLEARABLE: Final = frozenset(clearable(EditForm))
_NO_BASE: Final = Fault("amountBase", "required", "Amount Base is required.")
_NO_ACCOUNTS: Final = Fault("achAccountNumber", "invalid", "The payment processor takes no bank accounts.")


class Transactions:
    """`/transactions`."""

    def __init__(self, parts: ApiParts, once: Once, waiting: Waiting) -> None:
        self._parts = parts
        self._store = parts.store
        self._once = once
        self._waiting = waiting
        parts.bus.subscribe(TransactionHint, lambda hint: waiting.wake(_subject(hint.transaction_id)))

    def routes(self) -> list[Route]:
        """All of them."""
        one = "/transactions/{transactionId}"
        return [
            Route(
                "POST",
                "/transactions",
                self.create,
                "Make a transaction",
                answer=TransactionBody,
                form=_FORM,
                about="A decline is a 200, too. Under an `Idempotency-Key` a repetition shows the transaction as it is then.",
            ),
            Route("GET", "/transactions", self.search, "Search transactions", answer=PageBody[TransactionBody], query=_SEARCH),
            Route("GET", one, self.show, "Show a transaction", answer=TransactionBody, statuses=(404,)),
            Route(
                "PUT",
                one,
                self.change,
                "Hold, capture, void or correct a transaction",
                answer=TransactionBody,
                form=_EDIT,
                statuses=(404,),
                about="Status and amounts until it is settled, the rest at any time.",
            ),
        ]

    async def create(self, call: Call) -> Answer:
        """`POST /transactions`."""
        acquirer = self._parts.acquirer
        if acquirer is None:
            raise Problem(NO_PROCESSOR)
        values = call.form()
        key = await self._store.peek(fingerprint_key, call.caller.merchant_id)
        command = read_transaction(values, acquirer, key)
        payer = command.ach if command.card is None else command.card.facts
        kept = without_secrets(values, None if payer is None else payer.fingerprint)
        done = await self._once.write(call, kept, _remembered, create_transaction, call.caller, command)
        return _answer(call, await self._decided(call, int(done.body)))

    async def search(self, call: Call) -> Answer:
        """`GET /transactions`."""
        query = _SEARCH.read(call.query())
        if query.schedule_id is not None:
            return page_answer(call, query, [])
        found = await self._store.read(
            search_transactions, call.caller.merchant_id, query.filters(), query.offset, query.limit + 1
        )
        return page_answer(call, query, [body_of(call, transaction) for transaction in found])

    async def show(self, call: Call) -> Answer:
        """`GET /transactions/{transactionId}`."""
        number = call.number()
        try:
            return _answer(call, await self._store.peek(find_transaction, call.caller.merchant_id, number))
        except NotFound:
            raise _missing(number) from None

    async def change(self, call: Call) -> Answer:
        """`PUT /transactions/{transactionId}`."""
        number = call.number()
        values = call.form()
        form = _EDIT.read(without_empties(values, _CLEARABLE))
        wanted = EditTransaction(
            status=None if form.status is None else Status(form.status),
            amounts=_amounts(form, values),
            billing=form.contact("billing"),
            shipping=form.contact("shipping"),
            invoice_number=form.invoice_number,
            purchase_order_number=form.purchase_order_number,
            external_id=form.external_id,
            external_data=form.external_data,
        )
        try:
            return _answer(call, await self._store.write(edit_transaction, self._parts.moment(), call.caller, number, wanted))
        except NotFound:
            raise _missing(number) from None

    async def _decided(self, call: Call, number: int) -> StoredTransaction:
        """A transaction once it is decided. Raises Disconnected; ends the request with 503 if that takes too long.

        That is sooner if the server stops, so that there is time left to give the question up for another node.
        """
        merchant_id = call.caller.merchant_id
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST_WAIT_S
        gone = asyncio.create_task(call.gone())
        try:
            with self._waiting.bell(_subject(number)) as bell:
                while True:
                    try:
                        return await self._store.peek(find_transaction, merchant_id, number)
                    except NotFound:
                        pass
                    if self._waiting.closed:
                        end = min(end, loop.time() + STOPPING_WAIT_S)
                    if (left := end - loop.time()) <= 0:
                        raise Problem(failure(503, f"Transaction {number} is not decided yet.", retry_after(1000)))
                    await ring(bell, gone, min(ASK_AGAIN, left))
                    if gone.done():
                        raise Disconnected
        finally:
            gone.cancel()


def read_transaction(values: Values, acquirer: Acquirer, key: bytes) -> CreateTransaction:
    """The transaction that a form asks for, its card sealed. `key` is that of fingerprints. Raises Invalid."""
    form, faults = _FORM.examine(values)
    reader = PayerReader(values)
    payer = reader.read()
    faults += [fault for fault in reader.faults if fault.parameter not in {known.parameter for known in faults}]
    if isinstance(payer, BankAccount) and not acquirer.processor.bank_accounts:
        faults.append(_NO_ACCOUNTS)
    if not values.get("transactionId") and values.get("action") != ["VERIFY"] and not any(values.get("amountBase", ())):
        faults.append(_NO_BASE)
    if form is None or faults:
        raise Invalid(faults)
    account = payer if isinstance(payer, BankAccount) else None
    card = payer if payer is not None and not isinstance(payer, BankAccount) else None
    return CreateTransaction(
        action=None if form.action is None else Action(form.action),
        wanted=Status(form.status),
        terminal_id=form.terminal_id,
        amounts=_amounts(form, values),
        card=None if card is None else seal_card(card, acquirer.key, key),
        ach=None if account is None else account.facts(key),
        ach_type=None if account is None else account.ach_type,
        original_id=form.transaction_id,
        details=form.details(),
        note=form.note or "",
        avs=form.avs,
        check_cvv=form.cvv == "ON",
        external_id=form.external_id or "",
        external_data=form.external_data or "",
    )


def _amounts(form: AmountForm, values: Values) -> dict[Part, Cents]:
    return form.amounts() | ({Part.SURCHARGE: 0} if surcharge_switched_off(values) else {})


def _missing(number: int) -> Problem:
    """There is no such transaction. Clients look for these words to tell a right login from a wrong one."""
    return Problem(failure(404, f"Transaction Id {number} does not exist."))


def _remembered(number: int) -> Answer:
    """What is kept under an `Idempotency-Key`: which transaction it made, not what became of it."""
    return Answer(200, str(number).encode())


def _subject(number: int) -> str:
    return f"transaction {number}"


def _answer(call: Call, transaction: StoredTransaction) -> Answer:
    return Answer(200, write(body_of(call, transaction)))


def body_of(call: Call, transaction: StoredTransaction) -> TransactionBody:
    """A transaction as a caller sees it."""
    return transaction_body(
        call.caller.release,
        uri=transaction_uri(call, transaction.rules.id),
        transaction=transaction.rules,
        terminal_id=transaction.terminal_id,
        method=transaction.method,
        service=transaction.service,
        ach_type=transaction.ach_type,
        external_id=transaction.external_id,
        external_data=transaction.external_data,
        signed=transaction.signed,
    )


def transaction_uri(call: Call, number: int) -> str:
    """Where a transaction is."""
    return f"{call.origin}/transactions/{number}"
