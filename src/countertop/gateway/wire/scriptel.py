"""Signatures as Scriptel's pads type them: `}SCRIPTEL A ST1501 01.00.08 `, then points, then `]`.

A pad is a keyboard. A point is two characters with the shift key, its x, and two without, its y. Each coordinate, 0 to 499, is
two digits to the base of 23; the high and the low digit have alphabets of their own, so they may come in either order. A blank
lifts the pen.
"""

from __future__ import annotations

from typing import Final

from countertop.domain.errors import NotReadable

START: Final = "}SCRIPTEL "
BASE: Final = 23
EXTENT: Final = 500
WIDTH: Final = 1000
HEIGHT: Final = 400
"""The field that our strokes are in."""
MAX_POINTS: Final = 10_000

_HIGH_X: Final = {digit: place for place, digit in enumerate(")!@#$%^&*(ABCDEFGHIJKL")}
_HIGH_Y: Final = {digit: place for place, digit in enumerate("0123456789abcdefghijkl")}
_LOW_X: Final = {digit: place for place, digit in enumerate('MNOPQRSTUVWXYZ"<_>?:+{|')}
_LOW_Y: Final = {digit: place for place, digit in enumerate("mnopqrstuvwxyz',-./;=[\\")}

Point = tuple[int, int]


def read_scriptel(text: str) -> tuple[tuple[Point, ...], ...]:
    """The strokes of a typed signature, in a field of 1000 × 400. Raises NotReadable if it is none."""
    preamble, protocol, *rest = text.rstrip("\r\n").split(" ", 4)
    if f"{preamble} " != START or protocol != "A" or len(rest) != 3:
        raise NotReadable("a Scriptel signature begins with its name, protocol A, the model and the version")
    drawn = rest[2]
    if not drawn.endswith("]"):
        raise NotReadable("a Scriptel signature ends with a right bracket")
    strokes = tuple(_stroke(part) for part in drawn[:-1].split(" ") if part)
    if sum(map(len, strokes)) > MAX_POINTS:
        raise NotReadable(f"a signature has at most {MAX_POINTS} points")
    return strokes


def _stroke(text: str) -> tuple[Point, ...]:
    if len(text) % 4:
        raise NotReadable("a point is four characters")
    return tuple(_point(text[at : at + 4]) for at in range(0, len(text), 4))


def _point(text: str) -> Point:
    x = _coordinate(text[:2], _HIGH_X, _LOW_X)
    y = _coordinate(text[2:], _HIGH_Y, _LOW_Y)
    return x * WIDTH // EXTENT, y * HEIGHT // EXTENT


def _coordinate(digits: str, high: dict[str, int], low: dict[str, int]) -> int:
    first, second = digits[0], digits[1]
    if first not in high:
        first, second = second, first
    if first not in high or second not in low:
        raise NotReadable("a coordinate is a high and a low digit")
    return min(high[first] * BASE + low[second], EXTENT - 1)
