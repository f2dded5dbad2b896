"""Statements: written once with SQLAlchemy Core, compiled once for each dialect, run straight through the driver.

SQLAlchemy's execution layer costs several times what SQLite itself needs for a small statement, so it is used for what it is
best at, writing SQL for two databases, and is not there when a statement runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Generic, Literal, TypeVar

from sqlalchemy import Boolean, ColumnElement, Delete, Insert, Select, Text, Update, bindparam
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

DialectName = Literal["sqlite", "postgresql"]
Values = Mapping[str, Any]
Row = Sequence[Any]
Binder = Callable[[Values], Sequence[Any]]
"""Puts named values into the order of a statement's placeholders."""

T = TypeVar("T")

_DIALECTS: Final[dict[DialectName, Dialect]] = {
    "sqlite": pysqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}


class among(ColumnElement[bool]):  # noqa: N801 - reads like SQLAlchemy's own lower-case constructs
    """`column IN` a parameter that holds any number of texts as one JSON list: one statement whatever their number."""

    type = Boolean()
    inherit_cache = False

    def __init__(self, column: ColumnElement[str], parameter: str) -> None:
        self.column = column
        self.values = bindparam(parameter, type_=Text)


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled SQL


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST({values} AS jsonb))))"


class Command:
    """A statement that changes rows. Shared by all threads; compiling is idempotent, so a race only does it twice."""

    __slots__ = ("_prepared", "_statement")

    def __init__(self, statement: Insert | Update | Delete) -> None:
        self._statement = statement
        self._prepared: dict[DialectName, tuple[str, Binder]] = {}

    def prepared(self, dialect: DialectName) -> tuple[str, Binder]:
        """The SQL text, and what orders the values for it."""
        found = self._prepared.get(dialect)
        if found is None:
            found = self._prepared[dialect] = _prepare(self._statement, dialect)
        return found


class Query(Generic[T]):
    """A statement that asks. Each row's columns are given to `into`, one argument a column."""

    __slots__ = ("_into", "_prepared", "_statement")

    def __init__(self, statement: Select[Any], into: Callable[..., T]) -> None:
        self._statement = statement
        self._into = into
        self._prepared: dict[DialectName, tuple[str, Binder, Callable[..., T]]] = {}

    def prepared(self, dialect: DialectName) -> tuple[str, Binder, Callable[..., T]]:
        """The SQL text, what orders the values for it, and what makes a row into its value."""
        found = self._prepared.get(dialect)
        if found is None:
            text, binder = _prepare(self._statement, dialect)
            found = self._prepared[dialect] = (text, binder, self._reader(dialect))
        return found

    def _reader(self, dialect: DialectName) -> Callable[..., T]:
        flags = [at for at, column in enumerate(self._statement.selected_columns) if isinstance(column.type, Boolean)]
        into = self._into
        if dialect == "postgresql" or not flags:
            return into

        def with_flags(*row: Any) -> T:
            # SQLite knows no booleans: they come back as 0 and 1.
            columns: Any = row
            for at in flags:
                if row[at] is not None:
                    columns = [*columns[:at], row[at] != 0, *columns[at + 1 :]]
            return into(*columns)

        return with_flags


def _prepare(statement: ClauseElement, dialect: DialectName) -> tuple[str, Binder]:
    compiled = statement.compile(dialect=_DIALECTS[dialect])
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - Core statements compile to nothing else
    names = compiled.positiontup or []
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required and name in names}
    return compiled.string, _binder(names, constants)


def _binder(names: Sequence[str], constants: Values) -> Binder:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        only = names[0]
        if only in constants:
            constant = (constants[only],)
            return lambda _: constant
        return lambda values: (values[only],)
    pick: Binder = itemgetter(*names)
    if not constants:
        return pick
    return lambda values: pick({**constants, **values})
