"""The envelope of a list: links to its neighbours, where there are any, and the results."""

from __future__ import annotations

from typing import Generic, NotRequired, TypeVar

from typing_extensions import TypedDict

T = TypeVar("T")


class PageBody(TypedDict, Generic[T]):
    """A part of a list."""

    prev: NotRequired[str]
    next: NotRequired[str]
    results: list[T]
