"""A signature as a picture: strokes in, a PNG out (ISO/IEC 15948), drawn with nothing but the standard library.

The picture is black ink on white. A pixel is as dark as it is inside the pen's line, whose edge is one pixel soft; so strokes
have round ends and no steps.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, hypot
from typing import Final

Point = tuple[float, float]
Strokes = tuple[tuple[tuple[int, int], ...], ...]

FIELD: Final = (1000, 400)
"""The field that strokes are in."""
WIDTH: Final = 600
HEIGHT: Final = 240
SCALE: Final = WIDTH / FIELD[0]
PEN: Final = 1.7
"""Half of the line's width, in pixels."""
SHORTEST: Final = 1.2
"""Points nearer to one another than this, in pixels, make no difference to the eye."""

_HEADER: Final = b"\x89PNG\r\n\x1a\n"
_GREY: Final = 0
_INVERTED: Final = bytes(range(255, -1, -1))


@lru_cache(maxsize=32)
def signature_png(strokes: Strokes) -> bytes:
    """The picture of a signature, 600 × 240 pixels."""
    ink = bytearray(WIDTH * HEIGHT)
    for stroke in strokes:
        points = _smooth(_thinned([(x * SCALE, y * SCALE) for x, y in stroke]))
        for start, end in zip(points, points[1:] or points, strict=False):
            _draw(ink, start, end)
    return _png(ink)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """The points without those that the eye would not miss; the last one stays."""
    kept: list[Point] = []
    for point in points:
        if not kept or hypot(point[0] - kept[-1][0], point[1] - kept[-1][1]) >= SHORTEST:
            kept.append(point)
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def _smooth(points: list[Point]) -> list[Point]:
    """The points with their corners cut once, from the middle of one side to the middle of the next (Chaikin's way)."""
    if len(points) < 3:
        return points
    cut = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        cut += [(0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1), (0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1)]
    return [*cut, points[-1]]


def _draw(ink: bytearray, start: Point, end: Point) -> None:
    """Lays the pen's line from one point to another over what is there."""
    (x0, y0), (x1, y1) = start, end
    along_x, along_y = x1 - x0, y1 - y0
    length = along_x * along_x + along_y * along_y
    reach = PEN + 0.5
    left, right = max(0, floor(min(x0, x1) - reach)), min(WIDTH - 1, ceil(max(x0, x1) + reach))
    for y in range(max(0, floor(min(y0, y1) - reach)), min(HEIGHT - 1, ceil(max(y0, y1) + reach)) + 1):
        from_y = y - y0
        row = y * WIDTH
        for x in range(left, right + 1):
            from_x = x - x0
            # The nearest point of the line: how far along it, from 0 to 1.
            part = (from_x * along_x + from_y * along_y) / length if length else 0.0
            part = 0.0 if part < 0 else min(part, 1.0)
            cover = reach - hypot(from_x - part * along_x, from_y - part * along_y)
            if cover > 0:
                level = 255 if cover >= 1 else int(cover * 255)
                ink[row + x] = max(ink[row + x], level)


def _png(ink: bytearray) -> bytes:
    paper = ink.translate(_INVERTED)
    # Every line says how it is filtered: not at all.
    lines = b"".join(b"\0" + paper[at : at + WIDTH] for at in range(0, len(paper), WIDTH))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, _GREY, 0, 0, 0)
    return _HEADER + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
