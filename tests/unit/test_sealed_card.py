from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from countertop.domain.card import Brand, Entry, Expiry, PaymentCard
from countertop.domain.errors import NotReadable
from countertop.domain.sealed_card import MAX_SEALED, SealingKey, open_card, read_key, seal_card

EC = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
KEYS: list[SealingKey] = [EC, RSA]
NUMBER = "4444333322221111"
CARD = PaymentCard(NUMBER, Expiry(2030, 12), Entry.KEYED, "999")


@pytest.mark.parametrize("key", KEYS, ids=["EC", "RSA"])
@pytest.mark.parametrize("card", [CARD, PaymentCard(NUMBER, Expiry(2030, 1), Entry.CHIP)], ids=["keyed", "chip"])
def test_only_the_private_key_opens_what_the_public_key_sealed(key: SealingKey, card: PaymentCard) -> None:
    public = read_key(key.as_pem(private=False))
    sealed = seal_card(card, public, b"secret")
    assert open_card(sealed.sealed, key) == card
    with pytest.raises(NotReadable):
        open_card(sealed.sealed, public)
    with pytest.raises(NotReadable):
        open_card(sealed.sealed, type(key).generate_key("P-256" if isinstance(key, ECKey) else 2048))  # type: ignore[arg-type]


def test_a_sealed_card_tells_what_may_be_kept_and_no_more() -> None:
    sealed = seal_card(CARD, EC, b"secret")
    assert (sealed.facts.brand, sealed.facts.last_four, sealed.entry) == (Brand.VISA, "1111", Entry.KEYED)
    assert NUMBER not in repr(sealed) + sealed.sealed
    assert "999" not in repr(sealed)


def test_the_same_card_never_looks_the_same_but_has_one_fingerprint() -> None:
    one, two = seal_card(CARD, EC, b"secret"), seal_card(CARD, EC, b"secret")
    assert one.sealed != two.sealed
    assert one.facts == two.facts


@settings(max_examples=40)
@given(st.data())
def test_a_sealed_card_that_was_tampered_with_does_not_open(data: st.DataObject) -> None:
    sealed = seal_card(CARD, EC, b"secret").sealed
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("Aa0-_.{").filter(lambda letter: letter != sealed[place]))
    if sealed[place + 1 : place + 2] in ("", "."):
        return  # the last letter of a part may hold bits that decode to nothing
    with pytest.raises(NotReadable):
        open_card(sealed[:place] + other + sealed[place + 1 :], EC)


@pytest.mark.parametrize("text", ["", "x", "a.b.c.d.e", "é", "." * 4])
def test_what_is_no_sealed_card(text: str) -> None:
    with pytest.raises(NotReadable, match="sealed to this key") as caught:
        open_card(text, EC)
    assert caught.value.__cause__ is None


def test_the_largest_key_still_fits_an_element_of_iso_8583() -> None:
    longest = PaymentCard("4" * 19, Expiry(2030, 12), Entry.KEYED, "9999")
    assert len(seal_card(longest, RSAKey.generate_key(4096), b"secret").sealed) <= MAX_SEALED


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),  # noqa: S505 - a weak one
        Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        generate_private_key(SECP256K1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["empty", "text", "RSA of 1024 bits", "Ed25519", "another curve"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_what_is_no_key_to_seal_to(pem: bytes) -> None:
    with pytest.raises(NotReadable):
        read_key(pem)
