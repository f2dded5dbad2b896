"""A card, a key, and intents to ask a processor for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from joserfc.jwk import ECKey

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.intent import Action, Intent
from countertop.domain.response import AvsMode
from countertop.domain.sealed_card import SealedCard, seal_card

Ask = Callable[..., Intent]


@pytest.fixture(scope="session")
def key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture(scope="session")
def card(key: ECKey) -> SealedCard:
    return seal_card(PaymentCard("4444333322221111", Expiry(2030, 12), Entry.KEYED, "999"), key, b"secret")


@pytest.fixture
def ask() -> Ask:
    """Makes intents whose numbers count up from 1."""
    numbers = iter(range(1, 1_000_000))

    def make(
        total: int,
        action: Action = Action.CHARGE,
        *,
        hold: bool = False,
        avs: AvsMode = AvsMode.OFF,
        address: str = "",
        cvv: bool = False,
    ) -> Intent:
        return Intent(
            next(numbers),
            action,
            Amounts(total),
            1_800_000_000_000,
            1,
            "8675309",
            hold=hold,
            avs=avs,
            billing_address=address,
            billing_zip="85284",
            check_cvv=cvv,
        )

    return make
