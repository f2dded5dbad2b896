"""Lanes: jobs wait in one, and leave it in batches that share a commit.

A `Lane` has threads that do everything. A `LocalLane` is for a database in a file of this machine: what only touches a few rows
is done by the event loop itself, and a thread does what has to wait for the disk. The driver lets go of the interpreter's lock in
each statement; two busy threads would hand it to and fro a dozen times for each unit, which costs more than the unit.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol, TypeVar

from countertop.gateway.store.batch import Answer, Job, Performed, Reader, Writer
from countertop.gateway.store.trouble import Defect, Overloaded, Unavailable

T = TypeVar("T")
Settled = Callable[[Performed], None]
"""Is told what came of a batch, in the event loop."""

AT_ONCE: Final = 64
"""How many units the event loop does before it looks after others: two milliseconds' worth."""
PATIENCE_S: Final = 0.003
"""How long jobs that can wait do so for others like them, and how many are enough."""
ENOUGH: Final = 8

_log = logging.getLogger(__name__)


class Writes(Protocol):
    """Where writes wait."""

    waiting: int

    def put(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a job. Called in the event loop."""
        ...

    def put_quick(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a job that only touches a few rows."""
        ...

    def put_soon(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a quick job that can wait a moment for others like it."""
        ...

    async def close(self) -> None:
        """Works off what waits and ends the threads."""
        ...


class Lane:
    """A queue of jobs, and the threads that work it off in batches."""

    def __init__(self, name: str, runners: Sequence[Writer | Reader], *, batch: int, max_waiting: int, settled: Settled) -> None:
        self._loop = asyncio.get_running_loop()
        self._batch = batch
        self._max_waiting = max_waiting
        self._settled = settled
        self._gathered: list[Job] = []
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._closed = False
        self.waiting = 0
        self._threads = [
            threading.Thread(target=self._serve, args=(runner,), name=f"{name}-{number}", daemon=True)
            for number, runner in enumerate(runners)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a job. Called in the event loop."""
        _admit(self.waiting, self._max_waiting, closed=self._closed)
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(Job(operation, args, named, future))
        self.waiting += 1
        return future

    put_quick = put_soon = put

    async def close(self) -> None:
        """Works off what waits and ends the threads."""
        self._closed = True
        self._flush()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _flush(self) -> None:
        jobs, self._gathered = self._gathered, []
        for start in range(0, len(jobs), self._batch):
            self._queue.put(jobs[start : start + self._batch])

    def _serve(self, runner: Writer | Reader) -> None:
        while (jobs := self._take()) is not None:
            performed = _whatever_happens(jobs, runner.perform)
            try:
                self._loop.call_soon_threadsafe(self._answer, performed)
            except RuntimeError:  # the loop was closed, and with it everybody who waited
                break
        runner.close()

    def _take(self) -> list[Job] | None:
        """Waits for jobs, then takes all that have come meanwhile, up to a batch. None: the lane is closed."""
        jobs = self._queue.get()
        while jobs is not None and len(jobs) < self._batch:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:  # it is another thread's, or this one's next
                self._queue.put(None)
                break
            jobs += more
        return jobs

    def _answer(self, performed: Performed) -> None:
        self.waiting -= len(performed.answers)
        self._settled(performed)


class LocalLane:
    """A queue of jobs for one writer, whose batches follow each other.

    A batch of quick jobs is done here and its transaction left open, to be committed by the thread. A batch of others, and one
    that meets any trouble, is the thread's as a whole. While one is committed, whoever comes next waits for all of it: so jobs
    that can wait a moment make one batch of several.
    """

    def __init__(self, name: str, writer: Writer, *, batch: int, max_waiting: int, settled: Settled) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer
        self._batch = batch
        self._max_waiting = max_waiting
        self._settled = settled
        self._gathered: deque[tuple[Job, bool]] = deque()
        self._soon: list[Job] = []
        self._alarm_is_set = False
        self._queue: SimpleQueue[tuple[list[Job], Performed | None] | None] = SimpleQueue()
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.waiting = 0
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def put(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a job. Called in the event loop."""
        return self._put(Job(operation, args, named, self._loop.create_future()), quick=False)

    def put_quick(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a job that only touches a few rows."""
        return self._put(Job(operation, args, named, self._loop.create_future()), quick=True)

    def put_soon(self, operation: Callable[..., T], args: tuple[Any, ...], named: dict[str, Any]) -> asyncio.Future[T]:
        """Queues a quick job that can wait a moment."""
        _admit(self.waiting, self._max_waiting, closed=self._closed)
        future: asyncio.Future[T] = self._loop.create_future()
        self._soon.append(Job(operation, args, named, future))
        self.waiting += 1
        if len(self._soon) >= ENOUGH:
            self._go_ahead()
        elif not self._alarm_is_set:
            self._alarm_is_set = True
            self._loop.call_later(PATIENCE_S, self._wait_no_longer)
        return future

    def _wait_no_longer(self) -> None:
        self._alarm_is_set = False
        self._go_ahead()

    def _go_ahead(self) -> None:
        """Those that have waited for each other wait like all others now."""
        if self._soon:
            self._gathered.extend((job, True) for job in self._soon)
            self._soon.clear()
            self._wake_up()

    def _put(self, job: Job, *, quick: bool) -> asyncio.Future[Any]:
        _admit(self.waiting, self._max_waiting, closed=self._closed)
        self._gathered.append((job, quick))
        self.waiting += 1
        self._wake_up()
        return job.future

    def _wake_up(self) -> None:
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._begin)

    async def close(self) -> None:
        """Works off what waits and ends the thread."""
        self._closed = True
        self._go_ahead()
        await self._idle.wait()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _begin(self) -> None:
        """Takes jobs of one sort from the front of the queue and has them done."""
        first, quick = self._gathered.popleft()
        jobs, most = [first], AT_ONCE if quick else self._batch
        while self._gathered and self._gathered[0][1] is quick and len(jobs) < most:
            jobs.append(self._gathered.popleft()[0])
        self._queue.put((jobs, self._writer.attempt(jobs) if quick else None))

    def _serve(self) -> None:
        while (work := self._queue.get()) is not None:
            jobs, attempted = work
            performed = _whatever_happens(jobs, partial(self._writer.conclude, attempted=attempted))
            try:
                self._loop.call_soon_threadsafe(self._answer, performed)
            except RuntimeError:  # the loop was closed, and with it everybody who waited
                break
        self._writer.close()

    def _answer(self, performed: Performed) -> None:
        self.waiting -= len(performed.answers)
        self._settled(performed)
        if self._gathered:
            self._loop.call_soon(self._begin)  # after those who were answered just now: what they want next comes along
        else:
            self._idle.set()


def _admit(waiting: int, most: int, *, closed: bool) -> None:
    if waiting >= most:
        raise Overloaded("too much waits for the database")
    if closed:
        raise Unavailable("the store is closed")


def _whatever_happens(jobs: list[Job], perform: Callable[[list[Job]], Performed]) -> Performed:
    try:
        return perform(jobs)
    except BaseException as error:
        # Nobody may wait for ever for a thread that died.
        _log.exception("a batch failed as a whole")
        defect = Defect(f"a batch failed as a whole: {type(error).__name__}")
        return Performed([Answer(job, error=defect) for job in jobs], [])
