"""The store: `await store.write(operation, …)` and `jot` for what changes, `read` and `peek` for what asks.

Operations are plain functions over a `Unit` (`gateway.operations`). All that wait share a transaction and its commit, and one
call back into the event loop answers everybody: so durable writes are cheap. `jot` and `peek` are for what touches few rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from countertop.domain.hint import Hint
from countertop.gateway.store.batch import Answer, Performed, Reader, Writer
from countertop.gateway.store.database import Database
from countertop.gateway.store.lane import Lane, LocalLane, Writes
from countertop.gateway.store.postgresql import PostgresDatabase
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.sqlite import SqliteDatabase
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.store.unit import Unit

P = ParamSpec("P")
T = TypeVar("T")
Publish = Callable[[Sequence[Hint]], None]
"""Takes the hints of a batch after its commit, in the event loop. Must not block."""

MAX_WAITING: Final = 10_000
"""How many calls may wait before more are refused: seconds of work, so whoever waits longer has given up already."""

_log = logging.getLogger(__name__)


class Seen(Generic[T]):
    """An answer that is here. Awaiting it waits for nothing."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, T]:
        """The value."""
        return self.value
        yield


Peeked = Seen[T] | asyncio.Future[T]


class Store:
    """One database, as one event loop uses it. Made by `open_store`."""

    def __init__(self, database: Database, sealer: Sealer, publish: Publish, *, max_waiting: int = MAX_WAITING) -> None:
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._looking = False
        self.shared: Final = not database.local
        """Whether other nodes may use the same database."""
        self._local = Reader(database, sealer) if database.local else None
        writers = [Writer(database, sealer) for _ in range(database.writers)]
        readers = [Reader(database, sealer) for _ in range(1 if database.local else 2)]
        self._reads = Lane("store-reader", readers, batch=database.batch, max_waiting=max_waiting, settled=self._settled)
        self._writes: Writes
        if database.local:
            [writer] = writers
            self._writes = LocalLane("store-writer", writer, batch=database.batch, max_waiting=max_waiting, settled=self._settled)
        else:
            self._writes = Lane("store-writer", writers, batch=database.batch, max_waiting=max_waiting, settled=self._settled)

    def write(self, operation: Callable[Concatenate[Unit, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Runs an operation; its answer comes after a durable commit.

        The awaited future raises what the operation raises; Unavailable if the database cannot be used (after a lost connection
        the unit may have been committed nevertheless). Giving up waiting does not take the operation back.
        Raises Overloaded at once if too much waits already.
        """
        return self._writes.put(operation, args, kwargs)

    def jot(self, operation: Callable[Concatenate[Unit, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """As `write`, for what touches a few rows by key. On SQLite the event loop does it, and a thread the commit."""
        return self._writes.put_quick(operation, args, kwargs)

    def jot_soon(self, operation: Callable[Concatenate[Unit, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """As `jot`, for what can wait a moment. On SQLite several that come within a few milliseconds share a commit."""
        return self._writes.put_soon(operation, args, kwargs)

    def read(self, question: Callable[Concatenate[Unit, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Asks a question. It sees everything that was committed before it was asked.

        A question of several queries may see changes between them. Raises as `write` does.
        """
        return self._reads.put(question, args, kwargs)

    def peek(self, question: Callable[Concatenate[Unit, P], T], /, *args: P.args, **kwargs: P.kwargs) -> Peeked[T]:
        """Asks what reads a few rows by an index, a page at most. On SQLite the event loop answers it itself.

        There it is `Seen`, and raises at once what otherwise it raises when it is awaited. That spares two changes of thread; and
        on a busy node a thread waits for the interpreter's lock at each row, so that `read` takes milliseconds.
        """
        local = self._local
        if local is None:
            return self._reads.put(question, args, kwargs)
        if not self._looking:
            self._looking = True
            local.hold()
            self._loop.call_soon(self._look_away)
        return Seen(local.ask(question, args, kwargs))

    def _look_away(self) -> None:
        # Whoever is told of a commit is told after this, and so never sees what was before it.
        self._looking = False
        if self._local is not None:
            self._local.release()

    @property
    def waiting(self) -> int:
        """How many writes have been asked for and not answered."""
        return self._writes.waiting

    async def close(self) -> None:
        """Finishes what waits, then ends all threads and links. Later calls raise Unavailable."""
        await self._writes.close()
        await self._reads.close()
        if self._local is not None:
            self._local.close()
            self._local = None

    def _settled(self, performed: Performed) -> None:
        if performed.hints:  # first: a customer, or a receiver, is who an answer is about
            try:
                self._publish(performed.hints)
            except Exception:
                # A hint may be lost, an answer may not.
                _log.exception("hints could not be published")
        for answer in performed.answers:
            _settle(answer)


def _settle(answer: Answer) -> None:
    future = answer.job.future
    if future.done():  # the caller has stopped waiting
        return
    if answer.error is None:
        future.set_result(answer.value)
    else:
        future.set_exception(answer.error)


def database_at(url: str) -> Database:
    """The database that a URL names: `sqlite:////absolute/path` or `postgresql://…`. Raises ValueError for any other."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqliteDatabase(Path(rest[1:]))
    if scheme in ("postgresql", "postgres"):
        return PostgresDatabase(url)
    raise ValueError("a database URL begins with sqlite:/// or postgresql://")


async def open_store(url: str, sealer: Sealer, publish: Publish, *, max_waiting: int = MAX_WAITING) -> Store:
    """Brings the tables up to date and opens the store.

    Raises ValueError if the URL names no database we know, Unavailable if it cannot be reached.
    """
    database = database_at(url)
    trouble: Exception | None = None
    try:
        await asyncio.to_thread(database.migrate)
    except Exception as error:
        if database.judge(error) is None:
            raise
        trouble = Unavailable(f"the database is not available: {database.describe(error)}")
    if trouble is not None:
        raise trouble
    return Store(database, sealer, publish, max_waiting=max_waiting)
