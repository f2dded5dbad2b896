"""Which numbers belong to payment cards: the number screen's rule table.

Closed-loop cards and payment cards share one space of numbers, so the rules are short prefixes and wide lengths that err on the
side of refusing. A downloaded list of issuers would be the wrong tool: what it lacks would be let through.

Each row names where its facts come from:

    ISO 7812    major industry identifiers and national numbers (MII 9 + ISO 3166 country code)
    cct         npm credit-card-type 10.3.0
    cci         PyPI creditcard-identifier 2.3.0
    gp          globalpayments/java-sdk: card utilities and test cards
    verifone    Verifone Commander, fleet cards
    unconfirmed reported, not found in a source that can be read; kept, because refusing too much is the safe side
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from countertop.domain.luhn import luhn_valid

PAN_LONGEST: Final = 19
"""Digits of the longest payment card number (ISO/IEC 7812-1)."""


class Rule(StrEnum):
    """Why a number counts as financial."""

    A1 = "a card brand's number"
    A2 = "a card brand's prefix with a wrong check digit: misread or cut short"
    A3 = "a card brand's prefix and too many digits: a lost separator"
    B = "another payment scheme's number"
    C = "a fleet or benefits card's prefix"

    @property
    def absolute(self) -> bool:
        """Whether no allowlist can open such a number."""
        return self in (Rule.A1, Rule.A3)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The numbers of one scheme: those of `shortest` to `longest` digits that begin with one of `prefixes`.

    `prefixes` are inclusive ranges (`51-55`) or single ones (`4`), with blanks between.
    """

    name: str
    prefixes: str
    shortest: int
    longest: int
    source: str
    luhn: bool = True


BRANDS: Final = (
    Scheme("Visa", "4", 13, 19, "cct, cci"),
    Scheme("Mastercard", "51-55 2221-2720", 14, 19, "cct, cci"),
    Scheme("American Express", "34 37", 13, 19, "cct, cci"),
    Scheme("Diners Club", "300-305 3095 36 38 39", 13, 19, "cct; 3095 unconfirmed"),
    Scheme("JCB", "3528-3589", 14, 19, "cct"),
    Scheme("Discover", "6011 644-649 65", 14, 19, "cct"),
    Scheme("UnionPay", "62 81", 14, 19, "cct, gp"),
)
"""Rules A1 to A3. Their lengths are wider than what is issued, so that a number that lost or gained a digit is caught as well."""

FLEET: Final = (
    Scheme("Voyager", "708885-708889", 12, 19, "gp, verifone", luhn=False),
    Scheme("Voyager", "8699", 12, 19, "unconfirmed", luhn=False),
    Scheme("WEX", "690046 707138", 12, 19, "gp, verifone", luhn=False),
    Scheme("WEX", "0484 6900", 12, 19, "unconfirmed", luhn=False),
    Scheme("Fuelman", "707649", 12, 19, "gp, verifone", luhn=False),
    Scheme("FleetWide", "707685", 12, 19, "gp, verifone", luhn=False),
    Scheme("TCH", "708305", 12, 19, "verifone", luhn=False),
    Scheme("EFS", "707152 589355", 12, 19, "verifone", luhn=False),
    Scheme("T-Check", "600296", 12, 19, "verifone", luhn=False),
    Scheme("Comdata", "556735 556736 560017", 12, 19, "verifone", luhn=False),
    Scheme("EBT", "600486", 12, 19, "gp", luhn=False),
)
"""Rule C. Without the check digit, because some fleets issue numbers that fail it."""

OTHERS: Final = (
    Scheme("Maestro, RuPay, Elo, Verve, Hipercard, Cabal", "50 56-59 60 61 63 64 66-69", 12, 19, "cct, cci"),
    Scheme("Mir", "2200-2204", 16, 19, "cct"),
    Scheme("Borica", "2205", 16, 19, "cci"),
    Scheme("NAPAS", "9704", 16, 19, "cci"),
    Scheme("EBT", "9840", 16, 19, "gp"),
    Scheme("Interac and others", "0", 16, 19, "gp"),
    Scheme("RuPay", "82", 16, 16, "cci"),
    Scheme("Uzcard", "8600", 16, 16, "cci"),
    Scheme("mada", "9682", 16, 16, "cci"),
    Scheme("Troy", "9792", 16, 16, "cct, cci"),
    Scheme("HUMO", "9860", 16, 16, "cci"),
    Scheme("UATP, old JCB", "1", 15, 15, "ISO 7812, cct"),
    Scheme("old JCB", "2131", 15, 15, "cct"),
    Scheme("enRoute", "2014 2149", 15, 15, "cci", luhn=False),
    Scheme("China T-Union", "31", 19, 19, "cci"),
)
"""Rule B."""


def find_rule(number: str) -> Rule | None:
    """The first rule that calls `number`, a string of ASCII digits, financial; None if none does."""
    if _within(number, _BRANDS):
        return Rule.A1 if luhn_valid(number) else Rule.A2
    if len(number) > PAN_LONGEST:
        return Rule.A3 if _begins(number, _BRAND_PREFIXES) else None
    if _within(number, _FLEET):
        return Rule.C
    if _within(number, _OTHERS_WITHOUT_CHECK_DIGIT) or (_within(number, _OTHERS) and luhn_valid(number)):
        return Rule.B
    return None


_Prefixes = tuple[tuple[int, frozenset[str]], ...]
"""Prefixes by their number of digits: however many there are, a number is looked up once for each of these."""


def _expand(prefixes: str) -> list[str]:
    """`51-53 6011` → 51, 52, 53, 6011. Both ends of a range have the same number of digits and do not start with 0."""
    expanded: list[str] = []
    for part in prefixes.split():
        low, _, high = part.partition("-")
        expanded += [str(prefix) for prefix in range(int(low), int(high) + 1)] if high else [low]
    return expanded


def _by_length(*schemes: Scheme) -> dict[int, _Prefixes]:
    """For each length of a number the prefixes that are watched for."""
    watched = {}
    for length in range(1, PAN_LONGEST + 1):
        prefixes = [one for scheme in schemes if scheme.shortest <= length <= scheme.longest for one in _expand(scheme.prefixes)]
        sizes = sorted({len(prefix) for prefix in prefixes})
        watched[length] = tuple((size, frozenset(prefix for prefix in prefixes if len(prefix) == size)) for size in sizes)
    return watched


def _begins(number: str, prefixes: _Prefixes) -> bool:
    return any([number[:size] in those for size, those in prefixes])  # noqa: C419 - a list is quicker to make than a generator


def _within(number: str, watched: dict[int, _Prefixes]) -> bool:
    return _begins(number, watched.get(len(number), ()))


_BRANDS: Final = _by_length(*BRANDS)
_BRAND_PREFIXES: Final = _BRANDS[PAN_LONGEST]  # every brand has numbers of this length
_FLEET: Final = _by_length(*FLEET)
_OTHERS: Final = _by_length(*(scheme for scheme in OTHERS if scheme.luhn))
_OTHERS_WITHOUT_CHECK_DIGIT: Final = _by_length(*(scheme for scheme in OTHERS if not scheme.luhn))
