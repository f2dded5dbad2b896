"""A unit: the view of the database that one operation has, inside the transaction that its batch shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from countertop.domain.hint import Hint
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.statement import Command, DialectName, Query

T = TypeVar("T")


class Cursor(Protocol):
    """What is used of a DB-API cursor, of either driver."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, query: str, params: Sequence[Any], /) -> object:
        """Runs a statement."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows of the last statement."""
        ...


class Unit:
    """What an operation sees of the store. Lives as long as the operation runs.

    Raise before the first change and nothing needs to be undone; raise after one and the whole unit is undone.
    """

    __slots__ = ("_cursor", "_dialect", "_sealer", "hints", "wrote")

    def __init__(self, cursor: Cursor, dialect: DialectName, sealer: Sealer) -> None:
        self._cursor = cursor
        self._dialect = dialect
        self._sealer = sealer
        self.hints: list[Hint] = []
        self.wrote = False

    def run(self, command: Command, **values: Any) -> int:
        """Changes rows. Returns how many."""
        text, binder = command.prepared(self._dialect)
        self._cursor.execute(text, binder(values))
        count = self._cursor.rowcount
        if count:
            self.wrote = True
        return count

    def insert(self, command: Command, **values: Any) -> int:
        """Adds a row with a command that returns its number. Returns the number."""
        text, binder = command.prepared(self._dialect)
        self._cursor.execute(text, binder(values))
        self.wrote = True
        number: int = self._cursor.fetchall()[0][0]
        return number

    def one(self, query: Query[T], **values: Any) -> T | None:
        """The first row of an answer, or None if it has none."""
        text, binder, into = query.prepared(self._dialect)
        self._cursor.execute(text, binder(values))
        # All rows are fetched even if there should be one: a half-read statement would keep its snapshot open.
        rows = self._cursor.fetchall()
        return into(*rows[0]) if rows else None

    def all(self, query: Query[T], **values: Any) -> list[T]:
        """All rows of an answer."""
        text, binder, into = query.prepared(self._dialect)
        self._cursor.execute(text, binder(values))
        return [into(*row) for row in self._cursor.fetchall()]

    def hint(self, hint: Hint) -> None:
        """Says something after the commit; if there is none, it is never said."""
        self.hints.append(hint)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypts what may not rest in the open."""
        return self._sealer.seal(plain, purpose)

    def derive(self, purpose: str) -> bytes:
        """32 secret bytes for a purpose, always the same; see `Sealer.derive`."""
        return self._sealer.derive(purpose)

    def outdated(self, sealed: bytes) -> bool:
        """Whether a sealed value was sealed with a key that is not the current one."""
        return not sealed.startswith(self._sealer.head)

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """The opposite of `seal`, for the same purpose. Raises Broken if the bytes were changed or their key is unknown."""
        return self._sealer.unseal(sealed, purpose)

    def unseal_kept(self, sealed: bytes, purpose: str) -> bytes:
        """As `unseal`, for what is needed again and again; see `Sealer.unseal_kept`."""
        return self._sealer.unseal_kept(sealed, purpose)
