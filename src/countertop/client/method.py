"""A method of both clients: written once as a flow, it blocks in the one and is awaited in the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from countertop.client.exchange import Flow

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Protocol):
    """A client whose methods return what they return."""

    def run(self, flow: Flow[T]) -> T:
        """Drives a flow to its end."""


class Awaited(Protocol):
    """A client whose methods are awaited."""

    async def run(self, flow: Flow[T]) -> T:
        """Drives a flow to its end."""
        ...


class Method(Generic[P, T]):
    """Decorates a function that makes a flow: as a method it runs the flow, in the manner of the client it is called on."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Flow[T]]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaited, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self._flow

        @functools.wraps(self._flow)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.run(self._flow(client, *args, **kwargs))

        return method
