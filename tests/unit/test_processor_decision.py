"""The test processor's triggers, and the words of response codes."""

from __future__ import annotations

import pytest
from joserfc.jwk import ECKey

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.intent import Action, Intent
from countertop.domain.response import CODES, Avs, AvsMode, CvvStatus, message_of
from countertop.domain.sealed_card import seal_card
from countertop.gateway.processors.port import Processor
from countertop.sandbox.processor import APPROVAL_CODE, EMPTY_CARD, SandboxProcessor, decide

_: type[Processor] = SandboxProcessor

CARD = PaymentCard("4444333322221111", Expiry(2030, 1), Entry.KEYED, "999")


def intent(base: int, **facts: object) -> Intent:
    return Intent(
        **{  # type: ignore[arg-type]
            "number": 1,
            "action": Action.CHARGE,
            "amounts": Amounts(base),
            "created": 0,
            "terminal_id": 1,
            "merchant_number": "100",
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("base", "code"),
    [
        (99, "00"),
        (100, "00"),
        (103, "00"),
        (4_999_00, "00"),
        (4_999_01, "05"),
        (1_000_000_00, "05"),
        (1, "01"),
        (2, "13"),
        (3, "54"),
        (4, "14"),
        (5, "05"),
        (6, "61"),
        (7, "65"),
        (8, "51"),
        (9, "12"),
        (10, "63"),
        (11, "15"),
        (12, "04"),
        (13, "19"),
        (14, "62"),
        (15, "57"),
        (16, "78"),
        (91, "91"),
        (98, "10"),
    ],
)
def test_the_base_amount_decides(base: int, code: str) -> None:
    decision = decide(intent(base), CARD)
    assert decision.code == code
    assert decision.approved == decision.authorized == (code == "00")
    assert decision.approval_code == (APPROVAL_CODE if code == "00" else None)
    assert code in CODES


def test_only_the_base_decides_not_the_total() -> None:
    assert decide(intent(0, amounts=Amounts(base=1_00, tip=5_000_00)), CARD).approved


def test_one_amount_is_not_eligible_for_level_3() -> None:
    assert decide(intent(1_03), CARD).level3_eligible is False
    assert decide(intent(1_04), CARD).level3_eligible is True


def test_a_refund_is_approved_without_authorisation() -> None:
    decision = decide(intent(5, action=Action.REFUND), CARD)
    assert decision.approved
    assert not decision.authorized
    assert decision.approval_code is None


def test_a_bank_account_is_accepted_without_checks() -> None:
    decision = decide(intent(5, avs=AvsMode.ADDRESS, billing_address="addressNoMatch"), None)
    assert decision.approved
    assert not decision.authorized
    assert decision.avs is None


@pytest.mark.parametrize(
    ("base", "check", "cvv", "code", "status"),
    [
        (100, True, "555", "97", CvvStatus.NO_MATCH),
        (100, True, "999", "00", CvvStatus.MATCH),
        (101, True, "555", "00", CvvStatus.MATCH),
        (100, False, "555", "00", CvvStatus.NOT_REQUESTED),
    ],
)
def test_verification_value(base: int, check: bool, cvv: str, code: str, status: CvvStatus) -> None:
    decision = decide(intent(base, check_cvv=check), PaymentCard(CARD.number, CARD.expiry, Entry.KEYED, cvv))
    assert (decision.code, decision.cvv) == (code, status)


WRONG_BOTH = {"billing_address": "addressNoMatch", "billing_zip": "zipNoMatch"}


@pytest.mark.parametrize(
    ("mode", "facts", "code"),
    [
        (AvsMode.ADDRESS, {"billing_address": "addressNoMatch"}, "AA"),
        (AvsMode.ADDRESS, {"billing_zip": "zipNoMatch"}, "00"),
        (AvsMode.ZIP, {"billing_zip": "zipNoMatch"}, "AZ"),
        (AvsMode.ADDRESS_AND_ZIP, {"billing_zip": "zipNoMatch"}, "AY"),
        (AvsMode.ADDRESS_OR_ZIP, {"billing_zip": "zipNoMatch"}, "00"),
        (AvsMode.ADDRESS_OR_ZIP, WRONG_BOTH, "AX"),
        (AvsMode.BYPASS, WRONG_BOTH, "00"),
        (AvsMode.OFF, WRONG_BOTH, "00"),
        (AvsMode.ZIP, {"billing_zip": "99998"}, "AI"),
        (AvsMode.ZIP, {"billing_zip": "999970009"}, "AN"),
        (AvsMode.ADDRESS, {"billing_zip": "99999"}, "AU"),
        (AvsMode.BYPASS, {"billing_zip": "99999"}, "00"),
    ],
)
def test_address(mode: AvsMode, facts: dict[str, str], code: str) -> None:
    decision = decide(intent(1_00, avs=mode, **facts), CARD)
    assert decision.code == code
    assert decision.authorized, "the issuer holds the money even where the gateway declines for the address"
    assert (decision.avs is None) == (mode is AvsMode.OFF)
    assert decide(intent(1_01, avs=mode, **facts), CARD).approved


def test_a_bypassed_check_still_says_what_it_found() -> None:
    assert decide(intent(1_00, avs=AvsMode.BYPASS, **WRONG_BOTH), CARD).avs == Avs(AvsMode.BYPASS, False, False)


async def test_the_processor_opens_what_was_sealed_to_it() -> None:
    key = ECKey.generate_key("P-256")
    processor = SandboxProcessor(key)
    assert (await processor.authorise(intent(5), seal_card(CARD, key, b"secret"))).code == "05"
    another = seal_card(CARD, ECKey.generate_key("P-256"), b"secret")
    assert (await processor.authorise(intent(1_01), another)).code == "14"
    await processor.capture(intent(1_01), APPROVAL_CODE, 1_01)
    await processor.reverse(intent(1_01))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("00", "Approved"),
        ("85", "Approved"),
        ("05", "Declined (do not honor)"),
        ("63", "Declined (restricted)"),
        ("CV", "Declined"),
    ],
)
def test_messages(code: str, message: str) -> None:
    assert message_of(code) == message


@pytest.mark.parametrize(("base", "code"), [(10_00, "51"), (5, "05"), (4_999_01, "05")])
def test_an_empty_card_is_declined_unless_the_amount_has_another_answer(base: int, code: str) -> None:
    card = PaymentCard(EMPTY_CARD, Expiry(2030, 1), Entry.CHIP)

    assert decide(intent(base), card).code == code
