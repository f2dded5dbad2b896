"""The route table: which handler answers which method and path, and what is to be known about it for the API's description."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from countertop.gateway.http.form import Reader

if TYPE_CHECKING:
    from countertop.gateway.http.answer import Answer
    from countertop.gateway.http.call import Call

Handler = Callable[["Call"], "Answer | Awaitable[Answer]"]
"""Answers at once, or says what to wait for. What was sent with a POST or PUT is here when it is called."""
MOST_KNOWN: Final = 8192
LONGEST_KNOWN: Final = 200
"""Paths of which it is remembered where they lead: points of sale ask again and again."""

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One method of one resource.

    `answer` is the type whose JSON a 200 carries (None: the answer is 204), `media_type` what it is sent as, `statuses` those of
    its errors that not every resource has. `public` resources need neither login nor application key; those not `described` are
    no part of the API's description.
    """

    method: Method
    path: str
    handle: Handler
    summary: str
    answer: Any = None
    form: Reader[Any] | None = None
    query: Reader[Any] | None = None
    statuses: tuple[int, ...] = ()
    media_type: str = "application/json"
    about: str = ""
    public: bool = False
    described: bool = True


@dataclass(slots=True)
class _Node:
    """A place in the tree of path segments: literal ones win over the one that stands for anything."""

    literals: dict[str, _Node] = field(default_factory=dict)
    anything: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)

    def child(self, segment: str) -> _Node:
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.anything is None:
            self.anything = _Node()
        return self.anything


class RouteTable:
    """Finds routes in time that depends on a path's length only, not on how many routes there are."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: Final = tuple(routes)
        self._root = _Node()
        self._known = lru_cache(maxsize=MOST_KNOWN)(self._find)
        for route in self.routes:
            node = self._root
            for segment in route.path.strip("/").split("/"):
                node = node.child(segment)
            node.routes[route.method] = route
            if route.method == "GET":
                node.routes["HEAD"] = route

    def find(self, path: str) -> tuple[dict[str, Route], Sequence[str]]:
        """The routes at a path by method (none: there is no such resource), and the path's variable segments in order.

        One slash at the end makes no difference.
        """
        return self._known(path) if len(path) <= LONGEST_KNOWN else self._find(path)

    def _find(self, path: str) -> tuple[dict[str, Route], Sequence[str]]:
        node = self._root
        variables: list[str] = []
        for segment in path[1:-1].split("/") if path[-1:] == "/" else path[1:].split("/"):
            literal = node.literals.get(segment)
            if literal is not None:
                node = literal
            elif node.anything is not None and segment:
                node = node.anything
                variables.append(segment)
            else:
                return {}, variables
        return node.routes, variables
