"""`countertop serve`: one gateway node."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from countertop.cli.process import run_until_stopped
from countertop.gateway.assembly import Node
from countertop.gateway.logs import set_up_logs
from countertop.gateway.seed import read_seed
from countertop.gateway.server import raise_file_limit, settle_memory
from countertop.gateway.settings import Settings, SettingsError, load_settings
from countertop.sandbox.assembly import TestServer


def run(flags: Mapping[str, object], seed_file: Path | None, ready_file: Path | None) -> int:
    """Serves until SIGTERM or Ctrl-C. Returns the exit status."""

    async def serve(stop: asyncio.Event) -> None:
        settings = load_settings(flags)
        set_up_logs(settings.log_level)
        raise_file_limit()
        test_server = settings.server == "test"
        seed = read_seed(seed_file, test_server=test_server) if seed_file else None
        async with TestServer(settings) if test_server else Node(settings) as server:
            if seed is not None:
                await server.seed(seed)
            await server.serve()
            settle_memory()
            with _announced(ready_file, server.url, settings):
                await stop.wait()

    return run_until_stopped(serve)


@contextlib.contextmanager
def _announced(ready_file: Path | None, url: str, settings: Settings) -> Iterator[None]:
    """The ready file, whole from the first moment, as long as the node serves. Raises SettingsError if it cannot be written."""
    if ready_file is None:
        yield
        return
    draft = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps({"url": url, "pid": os.getpid(), "server": settings.server}) + "\n", encoding="utf-8")
        draft.replace(ready_file)
    except OSError as error:
        raise SettingsError(f"--ready-file {ready_file} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)
