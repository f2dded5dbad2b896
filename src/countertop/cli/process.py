"""A command that runs until it is told to stop, and how any command says what it could not do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import uvloop

from countertop.gateway.settings import SettingsError

UNUSABLE: Final = 2
"""Exit status for settings, files or arguments that cannot work."""
PATIENCE: Final = 9.0
"""Seconds from the wish to stop to the end, whatever still runs."""


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Runs `work` in an event loop; the event it gets is set by SIGTERM or Ctrl-C. Returns the exit status."""
    with complaints() as complaint, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_hear_signals(work))
    return complaint.status


class Complaint:
    """What became of a command."""

    status = 0


@contextlib.contextmanager
def complaints() -> Iterator[Complaint]:
    """Turns a SettingsError into one line on standard error and status 2."""
    complaint = Complaint()
    try:
        yield complaint
    except SettingsError as error:
        print(f"countertop: {' '.join(str(error).split())}", file=sys.stderr)
        complaint.status = UNUSABLE


async def _hear_signals(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear() -> None:
        if not stop.is_set():
            stop.set()
            loop.call_later(PATIENCE, _leave)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear)
    await work(stop)


def _leave() -> None:
    # Everything that was answered is on the disk, and what was not will be asked again: ending hard loses nothing.
    logging.getLogger(__name__).warning("not everything has finished in time; what runs is left")
    sys.stderr.flush()
    os._exit(0)
