"""`countertop terminal run`: the terminal's software on its own machine, with its screen in a browser there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import termios
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import aiohttp
from starlette.routing import Router

from countertop.cli.process import run_until_stopped
from countertop.gateway.card_range import load_allowlist
from countertop.gateway.clock import SystemClock
from countertop.gateway.door import FromHere
from countertop.gateway.logs import set_up_logs
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings, SettingsError, load_settings
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.terminal.pairing import load_token, save_token
from countertop.terminal.readers.simulated import CARDS
from countertop.terminal.screen.page import single_screen_routes

SOFTWARE: Final = f"countertop/{version('countertop')}"
TOKEN: Final = "token"  # noqa: S105 - a file's name

Reader = Callable[[str], str | None]
"""What a line of standard input means as a stripe; None: nothing."""

READERS: Final[dict[str, Reader]] = {"stdin": lambda line: line or None, "simulated": CARDS.get}
"""`stdin`: a keyboard-wedge reader types into this command. `simulated`: somebody types the name of a card."""


def run(gateway: str, reader: str | None, screen_port: int | None, data: Path) -> int:
    """Runs until SIGTERM or Ctrl-C. Returns the exit status."""

    async def work(stop: asyncio.Event) -> None:
        set_up_logs("warning")
        settings = load_settings({"server": "test", "host": "127.0.0.1", "port": screen_port, "data": data})
        if reader is not None and reader not in READERS:
            raise SettingsError(f"--reader {reader}: there are {', '.join(READERS)}")
        if not gateway.startswith(("http://", "https://")):
            raise SettingsError("--gateway: write it as https://host or http://host:port")
        async with contextlib.AsyncExitStack() as running:
            session = await running.enter_async_context(aiohttp.ClientSession())
            agent = _make_agent(gateway.rstrip("/"), session, settings)
            if screen_port is not None:
                url = await running.enter_async_context(serve_screen(agent, settings))
                print(f"screen: {url}", flush=True)
            await _until(stop, _operate(agent, settings.data), _tell(agent), _read_cards(agent, reader))

    return run_until_stopped(work)


async def _until(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Does all of `work` until `stop` is set. Raises what any of it raises."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        await stop.wait()
        for task in tasks:
            task.cancel()


def _make_agent(gateway: str, session: aiohttp.ClientSession, settings: Settings) -> Agent:
    machine = Machine(SOFTWARE, load_allowlist(settings.allowlist, settings.allowlist_key))
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = load_token(settings.data / TOKEN)
    except OSError as error:
        raise SettingsError(f"DATA: {settings.data} cannot be used: {error.strerror}") from None
    return Agent(gateway, token or "", machine, SystemClock(), session=session, random=random.random)


async def _operate(agent: Agent, data: Path) -> None:
    """Pairs the terminal if that was not done before, and runs it."""
    if not agent.token:
        save_token(data / TOKEN, await agent.pair())
    await agent.run()


@contextlib.asynccontextmanager
async def serve_screen(agent: Agent, settings: Settings) -> AsyncIterator[str]:
    """The screen's page on this machine. Gives its URL."""
    listener = Listener(settings)
    try:
        await listener.start(FromHere(Router(single_screen_routes(agent, SystemClock()))))
        yield listener.url
    finally:
        await listener.stop()


async def _tell(agent: Agent) -> None:
    """A line for each screen, for whoever has no browser open. Only headlines: what is typed on a screen stays there."""
    told = None
    async for view in agent.watch():
        if (view.screen, view.headline) != told:
            told = (view.screen, view.headline)
            place = f" (confirm it at {view.pairing.address})" if view.pairing else ""
            print(f"{view.screen}: {view.headline}{place}", flush=True)


async def _read_cards(agent: Agent, name: str | None) -> None:
    """Swipes what comes on standard input, line by line, if there is a reader."""
    if name is None:
        return
    reader = READERS[name]
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    with _unseen():
        while line := await lines.readline():
            stripe = reader(line.decode("utf-8", "replace").strip("\r\n"))
            if stripe is not None:
                agent.swipe(stripe)


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """Keeps what a reader types out of the window that it types into."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
