"""A card that is typed into a form rests nowhere: not in rows, not in remembered answers, not in logs, not in errors."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from countertop.domain.card import PaymentCard
from countertop.domain.errors import Invalid
from countertop.gateway.http.payer import without_secrets
from countertop.gateway.http.transaction import TransactionForm, read_transaction
from tests.canary import BANK, BANK_STRIPE, findings, watch
from tests.http.gateway import running_gateway
from tests.http.test_transaction import ACCOUNT_FORM, CARD_FORM, NO_SURCHARGE

ACCOUNT = "98765432109876543"
CVV = "9173"
FORM = {**CARD_FORM, **NO_SURCHARGE, "cardNumber": BANK, "cardCvv": CVV, "amountBase": "10.00"}


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_digits_rest_nowhere(tmp_path: Path) -> None:
    watch(tmp_path)
    bodies: list[bytes] = []
    with capture_logs() as logs:
        async with running_gateway(tmp_path) as gateway:
            post = gateway.client.post
            for form in (
                FORM,
                {**FORM, "amountBase": "0"},
                {**FORM, "cardExpMonth": "13"},
                {**FORM, "cardNumber": f"{BANK}1"},
                {**NO_SURCHARGE, "cardTrack": BANK_STRIPE, "amountBase": "11"},
                {"cardTrack": f"{BANK_STRIPE}x" * 30, "amountBase": "12"},
                {**ACCOUNT_FORM, "achAccountNumber": ACCOUNT, "amountBase": "13"},
            ):
                bodies += [(await post("/transactions", form, Idempotency_Key=f"key {len(bodies)}")).body]
            await gateway.store.close()
            broken = await post("/transactions", FORM, Idempotency_Key="another")
            assert broken.status == 503
            bodies += [broken.body]
    seen = b"".join(bodies) + repr(logs).encode()
    rests = content(tmp_path)
    for digits in (BANK, ACCOUNT):
        assert digits.encode() not in seen + rests
    assert f'"{CVV}"'.encode() not in rests
    assert list(findings({tmp_path})) == []


async def test_a_failure_on_the_way_tells_no_digit(tmp_path: Path) -> None:
    watch(tmp_path)
    async with running_gateway(tmp_path) as gateway:
        assert gateway.parts.acquirer is not None
        key = b"k" * 32
        values = {name: [text] for name, text in FORM.items()}
        command = read_transaction(values, gateway.parts.acquirer, key)
        with pytest.raises(Invalid) as refused:
            read_transaction({**values, "amountBase": ["x"]}, gateway.parts.acquirer, key)
        form = TransactionForm.model_validate(FORM)
        assert BANK not in repr(command) + str(refused.value) + repr(refused.value.faults) + repr(form)
        assert CVV not in repr(form)


async def test_no_card_stays_in_memory(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        number = "4000009173917397"  # no other test has it
        assert (await gateway.client.post("/transactions", {**FORM, "cardNumber": number})).status == 200
        gc.collect()
        assert [kept for kept in gc.get_objects() if isinstance(kept, PaymentCard) and kept.number == number] == []


def test_what_is_remembered_of_a_form_tells_no_digit() -> None:
    values = {name: [text] for name, text in {**FORM, "cardTrack": BANK_STRIPE, "achAccountNumber": ACCOUNT}.items()}
    kept = without_secrets(values, b"\x01\x02")
    assert kept["cardNumber"] == ["0102"]
    assert not {"cardCvv", "cardTrack", "achAccountNumber"} & set(kept)
    assert kept["amountBase"] == ["10.00"]
    assert without_secrets(values, None).get("cardNumber") is None
