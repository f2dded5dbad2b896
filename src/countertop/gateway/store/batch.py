"""Running what callers asked for: a batch of units in one transaction, or questions one after the other.

A unit that fails before its first change leaves nothing to undo and does not disturb the others. One that fails after a change,
or whose failure ended the transaction, has the batch rolled back; then each unit runs in a transaction of its own. A savepoint
for every unit would do the same and cost a third of the throughput at all times.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from countertop.domain.hint import Hint
from countertop.gateway.store.database import Database, Link, Verdict
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.trouble import Contended, Defect, StoreTrouble, Unavailable
from countertop.gateway.store.unit import Unit

MAX_RUNS: Final = 5
"""How often a unit that lost a race is run alone before it is given up."""


@dataclass(slots=True)
class Job:
    """One call, and who waits for its answer."""

    operation: Callable[..., Any]
    args: tuple[Any, ...]
    named: dict[str, Any]
    future: asyncio.Future[Any]


@dataclass(slots=True)
class Answer:
    """What came of a job: a value, or an error."""

    job: Job
    value: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class Performed:
    """What came of a batch, after its commit."""

    answers: list[Answer]
    hints: list[Hint]


class _Spoiled(Exception):
    """The transaction has to be undone, and its units run alone."""


class _Runner:
    """A link that is opened when it is needed, and opened anew after it broke."""

    def __init__(self, database: Database, sealer: Sealer, *, writing: bool) -> None:
        self._database = database
        self._sealer = sealer
        self._writing = writing
        self._link: Link | None = None

    def close(self) -> None:
        """Ends the link, if there is one."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _connected(self) -> Link:
        if self._link is None:
            self._link = self._database.connect(writing=self._writing)
        return self._link

    def _unit(self, link: Link) -> Unit:
        return Unit(link.cursor, self._database.dialect, self._sealer)

    def _trouble(self, error: Exception, verdict: Verdict, operation: Callable[..., Any] | None = None) -> StoreTrouble:
        name = self._database.describe(error)
        where = f" in {operation.__name__}" if operation is not None else ""
        if verdict is Verdict.UNAVAILABLE:
            return Unavailable(f"the database is not available: {name}{where}")
        if verdict is Verdict.RERUN:
            return Contended(f"lost every race: {name}{where}")
        return Defect(f"the database does not accept this: {name}{where}")


class Writer(_Runner):
    """Runs batches of units on one link. Belongs to one thread."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database, sealer, writing=True)

    def perform(self, jobs: Sequence[Job]) -> Performed:
        """Runs all jobs and commits. Never raises: what goes wrong is in the answers."""
        return self.conclude(jobs, None)

    def attempt(self, jobs: Sequence[Job]) -> Performed | None:
        """Runs all jobs and leaves the transaction open, without ever waiting. None: `conclude` has to begin anew."""
        link = self._link
        if link is None:
            return None
        try:
            return self._together(jobs, link, patient=False)
        except _Spoiled:
            return None
        except Exception:
            try:
                link.rollback()
            except Exception:
                self.close()
            return None

    def conclude(self, jobs: Sequence[Job], attempted: Performed | None) -> Performed:
        """Commits what `attempt` made of the jobs. Never raises: what goes wrong is in the answers."""
        try:
            link = self._connected()
            performed = self._together(jobs, link, patient=True) if attempted is None else attempted
            self._commit(link)
        except _Spoiled:
            return self._one_by_one(jobs)
        except Exception as error:
            trouble = self._broke(error)
            return Performed([Answer(job, error=trouble) for job in jobs], [])
        return performed

    def _together(self, jobs: Sequence[Job], link: Link, *, patient: bool) -> Performed:
        link.begin(patient=patient)
        performed = Performed([], [])
        for job in jobs:
            unit = self._unit(link)
            try:
                value = job.operation(unit, *job.args, **job.named)
            except Exception as error:
                verdict = self._database.judge(error)
                if verdict is Verdict.UNAVAILABLE:
                    raise
                if unit.wrote or verdict is not None:
                    link.rollback()
                    raise _Spoiled from None
                performed.answers.append(Answer(job, error=error))
            else:
                performed.answers.append(Answer(job, value))
                performed.hints += unit.hints
        return performed

    def _commit(self, link: Link) -> None:
        try:
            link.commit()
        except Exception as error:
            if self._database.judge(error) is Verdict.RERUN:
                link.rollback()
                raise _Spoiled from None
            raise

    def _one_by_one(self, jobs: Sequence[Job]) -> Performed:
        performed = Performed([], [])
        gone: StoreTrouble | None = None
        for job in jobs:
            if gone is not None:
                performed.answers.append(Answer(job, error=gone))
                continue
            try:
                answer = self._alone(job, performed.hints)
            except Exception as error:
                gone = self._broke(error)
                answer = Answer(job, error=gone)
            performed.answers.append(answer)
        return performed

    def _alone(self, job: Job, hints: list[Hint]) -> Answer:
        link = self._connected()
        trouble: StoreTrouble | None = None
        for _ in range(MAX_RUNS):
            unit = self._unit(link)
            link.begin()
            try:
                value = job.operation(unit, *job.args, **job.named)
                link.commit()
            except Exception as error:
                verdict = self._database.judge(error)
                if verdict is Verdict.UNAVAILABLE:
                    raise
                link.rollback()
                if verdict is None:
                    return Answer(job, error=error)
                trouble = self._trouble(error, verdict, job.operation)
                if verdict is Verdict.DEFECT:
                    break
            else:
                hints += unit.hints
                return Answer(job, value)
        return Answer(job, error=trouble)

    def _broke(self, error: Exception) -> StoreTrouble:
        """Drops the link: the next batch opens a new one and so finds out whether the database is back."""
        if self._link is not None:
            with contextlib.suppress(Exception):
                self._link.rollback()
        self.close()
        return self._trouble(error, self._database.judge(error) or Verdict.DEFECT)


class Reader(_Runner):
    """Answers questions on one link. Belongs to one thread."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database, sealer, writing=False)

    def perform(self, jobs: Sequence[Job]) -> Performed:
        """Answers all jobs. Never raises: what goes wrong is in the answers."""
        return Performed([self._answer(job) for job in jobs], [])

    def ask(self, operation: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Answers one question. Raises what the operation raises, or StoreTrouble."""
        trouble: StoreTrouble | None = None
        for _ in range(2):  # a link that was lost while nobody asked deserves one more try
            try:
                return operation(self._unit(self._connected()), *args, **named)
            except Exception as error:
                verdict = self._database.judge(error)
                if verdict is None:
                    raise
                trouble = self._trouble(error, verdict, operation)
                self.close()
                if verdict is Verdict.DEFECT:
                    break
        assert trouble is not None  # noqa: S101 - both ways out of the loop have set it
        raise trouble

    def hold(self) -> None:
        """From the next question on, all see the database as that one does, until `release`.

        A snapshot takes locks of the file system: opening one costs half as much as the question itself.
        """
        with contextlib.suppress(Exception):  # then each question opens its own, or finds out what is wrong
            self._connected().cursor.execute("BEGIN", ())

    def release(self) -> None:
        """Ends what `hold` began."""
        try:
            if self._link is not None:
                self._link.rollback()
        except Exception:
            self.close()

    def _answer(self, job: Job) -> Answer:
        try:
            return Answer(job, self.ask(job.operation, job.args, job.named))
        except Exception as error:
            return Answer(job, error=error)
