"""Sealing a payment card: the moment it is read, and with the keys that came with the request."""

from __future__ import annotations

import base64
from collections.abc import Callable

from countertop.domain.card import PaymentCard
from countertop.domain.sealed_card import SealedCard, read_key, seal_card
from countertop.protocol.frames import Sealing

Seal = Callable[[PaymentCard], SealedCard]


def make_seal(sealing: Sealing) -> Seal:
    """What seals a card. Raises NotReadable if no card can be sealed with that key."""
    key = read_key(sealing.key.encode())
    fingerprint_key = base64.b64decode(sealing.fingerprint_key)
    return lambda card: seal_card(card, key, fingerprint_key)
