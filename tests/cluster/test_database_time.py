"""Nodes of one database have one time, whatever their own clocks say."""

from __future__ import annotations

import pytest

from countertop.domain.clock import MINUTE, SECOND, Instant
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.clock import SetClock, SystemClock
from countertop.gateway.database_time import DatabaseTime
from countertop.gateway.store.sealing import Keyring, Sealer
from countertop.gateway.store.store import open_store
from countertop.testing.postgres import PostgresServer


class WrongClock(SystemClock):
    """Runs a minute ahead of the machine's."""

    def now(self) -> Instant:
        return super().now() + MINUTE


@pytest.mark.postgres
async def test_a_wrong_clock_is_set_by_the_databases(postgres: PostgresServer) -> None:
    url = postgres.url(postgres.create_database())
    store = await open_store(url, Sealer(Keyring.new()), LocalBus().publish)
    clock = SetClock(WrongClock())
    time_of_day = DatabaseTime(store, clock)
    await time_of_day.start()
    assert abs(clock.now() - SystemClock().now()) < SECOND
    await time_of_day.stop()
    await store.close()


async def test_over_sqlite_a_node_keeps_its_own_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("alone") / "countertop.db"
    store = await open_store(f"sqlite:///{path}", Sealer(Keyring.new()), LocalBus().publish)
    clock = SetClock(WrongClock())
    await DatabaseTime(store, clock).start()
    assert clock.offset == 0
    await store.close()
