"""All that a terminal can do: which act carries out which order."""

from __future__ import annotations

from countertop.domain.allowlist import Allowlist
from countertop.domain.order import InputOrder, PaymentOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.protocol.frames import Show
from countertop.terminal.act import Act, InputAct, PromptAct, ReadAct, SignatureAct
from countertop.terminal.payment.act import PaymentAct
from countertop.terminal.payment.seal import make_seal


def begin(show: Show, allowlist: Allowlist) -> Act:
    """The act that carries out what is to be shown. A payment has to come with its keys, which `protocol.session` sees to."""
    order = show.order
    match order:
        case ReadOrder():
            return ReadAct(allowlist)
        case PromptOrder():
            return PromptAct(order)
        case InputOrder():
            return InputAct()
        case SignatureOrder():
            return SignatureAct(order)
        case PaymentOrder():
            if show.sealing is None:
                raise ValueError("a payment comes with keys to seal its card with")
            return PaymentAct(order, make_seal(show.sealing), card_taken=show.card_taken)
