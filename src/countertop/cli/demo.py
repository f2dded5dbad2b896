"""`countertop demo`: a test server to look at, with everything that is needed to try it on the screen."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from countertop.cli.process import run_until_stopped
from countertop.gateway.logs import set_up_logs
from countertop.gateway.server import settle_memory
from countertop.gateway.settings import load_settings
from countertop.sandbox.assembly import TestServer
from countertop.sandbox.demo import FILE, TERMINAL_ID, DemoAccess, demo_access, end_other_webhooks, keep_access
from countertop.testing.catcher import Catcher, Printer, catch


def run(flags: Mapping[str, object]) -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit status."""
    console = Console(highlight=False)

    async def show(stop: asyncio.Event) -> None:
        settings = load_settings({"server": "test", "log_level": "warning", **flags})
        set_up_logs(settings.log_level)
        async with TestServer(settings) as server:
            access = demo_access(settings.data)
            async with _catching(settings.data, access, Printer(console)) as catcher:
                await server.node.store.write(end_other_webhooks, server.node.moment(), access.login, catcher.url)
                await server.seed(access.seed(catcher.url))
                await server.serve()
                settle_memory()
                _explain(console, server.url, access, settings.data)
                await stop.wait()
                console.print("\nStopping …")

    return run_until_stopped(show)


@contextlib.asynccontextmanager
async def _catching(data: Path, access: DemoAccess, printer: Printer) -> AsyncIterator[Catcher]:
    """A webhook catcher, on the port of last time if that is still free."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            catcher = await stack.enter_async_context(catch(access.webhook_secret, port=access.webhook_port, on_caught=printer))
        except OSError:
            catcher = await stack.enter_async_context(catch(access.webhook_secret, on_caught=printer))
        port = int(catcher.url.rsplit(":", 1)[1].partition("/")[0])
        if port != access.webhook_port:
            keep_access(data, access.model_copy(update={"webhook_port": port}))
        yield catcher


def _explain(console: Console, url: str, access: DemoAccess, data: Path) -> None:
    facts = {
        "Terminal": f"{url}/virtual-terminal/{access.smart_terminal_id}",
        "API": f"{url}  (described at {url}/docs)",
        "Login": access.login,
        "Password": access.password,
        "Application key": access.application_key,
        "Kept in": str(data / FILE),
    }
    console.print(Text("Countertop, a demonstration\n", style="bold"))
    for name, value in facts.items():
        console.print(Text(f"  {name:<16}", style="dim").append(value, style="default"), soft_wrap=True)
    read, poll = curl_commands(url, access, data)
    _step(console, "1. Open the terminal's page. Then ask it to read a card:", read)
    _step(console, "2. Swipe a card there (or press the red X). This waits for it and shows what was read:", poll)
    console.print(
        "\nWebhooks are shown below as they come, with what their two signatures are worth. Ctrl-C ends the demonstration.\n"
    )


def _step(console: Console, words: str, command: str) -> None:
    console.print(Text(f"\n{words}\n", style="bold"))
    console.print(Text(command), soft_wrap=True)


def curl_commands(url: str, access: DemoAccess, data: Path) -> tuple[str, str]:
    """Two commands for any shell: one starts a read and keeps the answer in a file, the other polls the request named there."""
    login = shlex.quote(f"{access.login}:{access.password}")
    caller = f"curl -sS -w '\\n' -u {login} -H 'X-PJ-Application-Key: {access.application_key}'"
    answer = shlex.quote(str((data / "request.json").absolute()))
    read = f"{caller} -d terminalId={TERMINAL_ID} {url}/smartterminals/{access.smart_terminal_id}/request-read | tee {answer}"
    request_id = f'$(sed -n \'s/.*"requestId" : "\\(.*\\)".*/\\1/p\' {answer})'
    return read, f'{caller} "{url}/smartterminals/requests/{request_id}?wait=60"'
