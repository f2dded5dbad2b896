"""A signature as JSON: strokes, each a list of points [x, y] in a field of 1000 × 400, origin at the top left."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from countertop.domain.errors import NotReadable
from countertop.gateway.wire.scriptel import HEIGHT, MAX_POINTS, WIDTH
from countertop.gateway.wire.signature_image import Strokes

_X = Annotated[int, Field(ge=0, le=WIDTH, strict=True)]
_Y = Annotated[int, Field(ge=0, le=HEIGHT, strict=True)]
_Points = Annotated[tuple[tuple[_X, _Y], ...], Field(min_length=1, max_length=MAX_POINTS)]
_STROKES: Final = TypeAdapter(Annotated[tuple[_Points, ...], Field(min_length=1, max_length=1000)])


def read_strokes(text: str) -> Strokes:
    """The strokes in a text. Raises NotReadable."""
    try:
        strokes = _STROKES.validate_json(text)
    except ValidationError:
        raise NotReadable("a signature is a list of strokes, each a list of points within the field") from None
    if sum(map(len, strokes)) > MAX_POINTS:
        raise NotReadable(f"a signature has at most {MAX_POINTS} points")
    return strokes
