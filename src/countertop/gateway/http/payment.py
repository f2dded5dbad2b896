"""`request-payment`: a Smart Terminal takes a customer's card."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from countertop.domain.amount import Amounts
from countertop.domain.errors import Invalid
from countertop.domain.intent import Action
from countertop.domain.mail import is_address
from countertop.domain.order import Kind, PaymentOrder
from countertop.domain.payment import PaymentDetails
from countertop.domain.releases import KEYED_ENTRY, Release
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import Problem, failure
from countertop.gateway.http.form import Boolean, Reader
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payment_form import AmountForm, ContactForm, Money, Note, surcharge_switched_off
from countertop.gateway.http.route import Route
from countertop.gateway.http.smart_terminal import TargetForm, with_target
from countertop.gateway.operations.payment import start_payment
from countertop.gateway.operations.request import StartRequest
from countertop.gateway.wire.request import StartedPaymentBody, started_body

NO_PROCESSOR: Final = failure(400, "This server takes no payments: no payment processor is configured.")


class PaymentForm(TargetForm, AmountForm, ContactForm):
    """Take a card, and charge it or give money back to it."""

    amount_base: Annotated[Money, Field(alias="amountBase", description="The base amount, in dollars")]
    action: Literal["CHARGE", "REFUND"] = "CHARGE"
    show_receipt_prompt: Annotated[Boolean, Field(alias="showReceiptPrompt", description="Offers a receipt")] = True
    show_signature_prompt: Annotated[Boolean, Field(alias="showSignaturePrompt", description="Asks for a signature")] = True
    allow_tips: Annotated[Boolean, Field(alias="allowTips", description="Asks for a tip")] = False
    keyed: Annotated[
        Literal["ALLOW"] | None, Field(description="The card may be typed in: the yellow key. Since release 2019-07-30")
    ] = None
    show_debit_credit_prompt: Annotated[
        Boolean, Field(alias="showDebitCreditPrompt", description="The customer chooses between debit and credit")
    ] = False
    note: Annotated[Note | None, Field(description="Kept with the transaction")] = None

    def order(self, release: Release, *, mails: bool) -> PaymentOrder:
        """What the terminal is asked to do, by a caller who speaks this release. `mails`: this server sends receipts."""
        address = self.billing_email or ""
        return PaymentOrder(
            action=Action(self.action),
            amounts=Amounts(0).changed(self.amounts()),
            show_receipt_prompt=self.show_receipt_prompt,
            show_signature_prompt=self.show_signature_prompt,
            allow_tips=self.allow_tips,
            keyed=self.keyed is not None and release >= KEYED_ENTRY,
            debit_credit_prompt=self.show_debit_credit_prompt,
            customer_may_cancel=release >= KEYED_ENTRY,
            receipt_email=address if mails and is_address(address) else "",
        )


_FORM: Final = Reader(PaymentForm, "field")


class PaymentRequests:
    """`/smartterminals/{smartTerminalId}/request-payment`."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._parts = parts
        self._once = once

    def routes(self) -> list[Route]:
        """The one there is."""
        return [
            Route(
                "POST",
                "/smartterminals/{smartTerminalId}/request-payment",
                self.start,
                "Take a payment",
                answer=StartedPaymentBody,
                form=_FORM,
                statuses=(404,),
                about="Refused on a server without a payment processor.",
            )
        ]

    async def start(self, call: Call) -> Answer:
        """`POST …/request-payment`."""
        if self._parts.acquirer is None:
            raise Problem(NO_PROCESSOR)
        smart_terminal_id = call.uuid()
        values = call.form()
        try:
            form = _FORM.read(values)
        except Invalid as invalid:
            raise await with_target(self._parts, call, values, invalid) from None
        release = call.caller.release
        command = StartRequest(
            smart_terminal_id=smart_terminal_id,
            terminal_id=form.terminal_id,
            order=form.order(release, mails=self._parts.send_mail is not None),
            interrupt=form.interrupts(release),
            connect_deadline=self._parts.connect_deadline,
            request_deadline=self._parts.request_deadline,
        )
        surcharge = form.amount_surcharge is None and not surcharge_switched_off(values)
        details = PaymentDetails(form.details(), form.note or "")
        return await self._once.write(call, values, _started, start_payment, call.caller, command, details, surcharge=surcharge)


def _started(request_id: str) -> Answer:
    return Answer(200, started_body(Kind.PAYMENT, request_id))
