"""`countertop seed`: applies a seed file to a database, whether a server runs on it or not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from countertop.cli.process import complaints
from countertop.domain.ids import ordered_uuid
from countertop.gateway.assembly import open_sealer, opened_store
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.clock import SystemClock
from countertop.gateway.operations.moment import Moment
from countertop.gateway.seed import plant, read_seed
from countertop.gateway.settings import load_settings


def run(flags: Mapping[str, object], file: Path) -> int:
    """Applies the file and says how much that changed. Returns the exit status."""
    with complaints() as complaint:
        changed = asyncio.run(_apply(flags, file))
        print(f"{changed} changed" if changed else "nothing to change")
    return complaint.status


async def _apply(flags: Mapping[str, object], file: Path) -> int:
    settings = load_settings(flags)
    seed = read_seed(file, test_server=settings.server == "test")
    clock = SystemClock()
    node_id = ordered_uuid(clock.now(), os.urandom)
    async with opened_store(settings, open_sealer(settings), LocalBus().publish) as store:
        return await plant(store, seed, lambda: Moment(clock.now(), os.urandom, node_id))
