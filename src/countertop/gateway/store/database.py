"""What the store needs of a database: links to it, and a verdict on what went wrong. SQLite and PostgreSQL are the two."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from countertop.gateway.store.statement import DialectName
from countertop.gateway.store.unit import Cursor


class Verdict(Enum):
    """What an error of the driver means."""

    RERUN = "something else was quicker: undo the unit and run it again"
    UNAVAILABLE = "the database cannot be used just now"
    DEFECT = "the statement is wrong, whenever it is run"


class Link(Protocol):
    """One connection, used by one thread at a time."""

    @property
    def cursor(self) -> Cursor:
        """The link's one cursor."""
        ...

    def begin(self, *, patient: bool = True) -> None:
        """Starts a transaction that will write. If it would have to wait for others and is not patient, it fails at once."""
        ...

    def commit(self) -> None:
        """Makes the transaction durable."""
        ...

    def rollback(self) -> None:
        """Undoes the transaction, if there is one."""
        ...

    def close(self) -> None:
        """Ends the link. Raises nothing."""
        ...


class Database(Protocol):
    """One of the two databases."""

    @property
    def dialect(self) -> DialectName:
        """How statements are written for it."""
        ...

    @property
    def writers(self) -> int:
        """How many threads may write at once."""
        ...

    @property
    def batch(self) -> int:
        """How many units share a transaction at most."""
        ...

    @property
    def local(self) -> bool:
        """Whether a question by key is answered faster than a thread could be asked."""
        ...

    def connect(self, *, writing: bool) -> Link:
        """A new link. One that is not for writing refuses to."""
        ...

    def judge(self, error: Exception) -> Verdict | None:
        """What an error means; None if it is not the driver's."""
        ...

    def describe(self, error: Exception) -> str:
        """An error without any value: its name only."""
        ...

    def migrate(self) -> None:
        """Brings the tables up to date; of several nodes at once only one does, the others wait."""
        ...
