"""A payment card sealed to its processor: what leaves a terminal in place of the card.

JWE in compact form (RFC 7516), content A256GCM, key RSA-OAEP-256 or ECDH-ES by the kind of the processor's key (RFC 7518).
Whoever carries it, the gateway included, can neither read nor change it. Sealing a card twice gives two different texts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from countertop.domain.card import CardFacts, Entry, Expiry, PaymentCard
from countertop.domain.errors import NotReadable

_CONTENT: Final = "A256GCM"
_RSA: Final = "RSA-OAEP-256"
_EC: Final = "ECDH-ES"
_ALGORITHMS: Final = (_CONTENT, _RSA, _EC)
_SHORTEST_RSA: Final = 2048
_CURVES: Final = frozenset({"P-256", "P-384", "P-521"})

MAX_SEALED: Final = 999
"""Characters of the longest sealed card, with which it fits one private element of ISO 8583. RSA of 4096 bits needs about 960."""

SealingKey = RSAKey | ECKey
"""The processor's key: its public half seals, its private half opens."""


@dataclass(frozen=True, slots=True)
class SealedCard:
    """A card as the gateway sees it: `sealed` is for the processor alone, `facts` may be kept."""

    sealed: str = field(repr=False)
    facts: CardFacts
    entry: Entry


def read_key(pem: bytes) -> SealingKey:
    """The key in a PEM file, public or private: RSA of at least 2048 bits, or EC on a NIST curve.

    Raises NotReadable if it is neither.
    """
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        if _strong(key):
            return key
    raise NotReadable("a processor's key is a PEM file with RSA of at least 2048 bits, or EC on a NIST curve")


def seal_card(card: PaymentCard, key: SealingKey, fingerprint_key: bytes) -> SealedCard:
    """The card sealed to `key`, beside what may be kept of it."""
    content = {
        "number": card.number,
        "year": card.expiry.year,
        "month": card.expiry.month,
        "entry": card.entry,
        **({"cvv": card.cvv} if card.cvv else {}),
    }
    header = {"alg": _RSA if isinstance(key, RSAKey) else _EC, "enc": _CONTENT, "kid": key.thumbprint()}
    sealed = jwe.encrypt_compact(header, json.dumps(content, separators=(",", ":")), key, algorithms=_ALGORITHMS)
    return SealedCard(sealed, card.facts(fingerprint_key), card.entry)


def open_card(sealed: str, key: SealingKey) -> PaymentCard:
    """The card that was sealed to `key`, of which the private half is needed.

    Raises NotReadable if this is no card sealed to that key, or it was tampered with; the error holds nothing of it.
    """
    try:
        content = json.loads(jwe.decrypt_compact(sealed, key, algorithms=_ALGORITHMS).plaintext or b"")
        expiry = Expiry(content["year"], content["month"])
        return PaymentCard(content["number"], expiry, Entry(content["entry"]), content.get("cvv"))
    except (JoseError, ValueError, KeyError, TypeError):
        raise NotReadable("not a card that was sealed to this key") from None


def _strong(key: SealingKey) -> bool:
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= _SHORTEST_RSA
    return key.curve_name in _CURVES
