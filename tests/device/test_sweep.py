"""What hints miss is found by query; what another node does too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from countertop.domain.hint import ShowHint
from countertop.domain.request import Status
from countertop.gateway.devices.connections import SWEEP
from countertop.gateway.operations.connection import node_connections
from countertop.gateway.operations.request import press_main
from countertop.gateway.operations.terminal import find_smart_terminal
from countertop.protocol.screens import Screen
from countertop.terminal.view import Key
from tests.device.conftest import CALLER, COUNTER, Gateway, eventually, gateway_at, until


@pytest.fixture
async def deaf(data: Path) -> AsyncIterator[Gateway]:
    """A node that hears no hint."""
    async with gateway_at(data, lose=lambda _hint: True) as running:
        yield running


async def test_a_whole_life_without_a_hint(deaf: Gateway) -> None:
    agent = deaf.terminal()
    await until(agent, lambda view: view.online)
    request_id = await deaf.request()
    assert agent.view.request_id is None
    deaf.clock.advance(SWEEP)
    await until(agent, lambda view: view.request_id == request_id)
    await deaf.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)

    agent.press(Key.CANCEL)

    assert (await deaf.ended(request_id)).status is Status.COMPLETE


async def test_an_end_that_no_hint_told_is_cleared(deaf: Gateway) -> None:
    request_id = await deaf.request()
    agent = deaf.terminal()
    await until(agent, lambda view: view.request_id == request_id)
    await deaf.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)
    await deaf.store.write(press_main, deaf.parts.moment(), CALLER, COUNTER)

    deaf.clock.advance(SWEEP)

    await until(agent, lambda view: view.screen is Screen.IDLE)


async def test_a_hint_from_another_node_is_looked_up(gateway: Gateway, data: Path) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)
    async with gateway_at(data, node_id="node-2") as other:
        request_id = await other.request()

        gateway.parts.bus.publish([ShowHint(COUNTER, request_id)])

        await until(agent, lambda view: view.request_id == request_id)


async def test_a_connection_that_was_replaced_elsewhere_is_closed(gateway: Gateway, data: Path) -> None:
    older = gateway.terminal()
    await until(older, lambda view: view.online)
    async with gateway_at(data, node_id="node-2") as other:
        newer = other.terminal()
        await until(newer, lambda view: view.online)

        await gateway.devices.connections.close_superseded()

        await until(older, lambda view: not view.online)
        assert newer.view.online


async def test_the_screen_is_written_down_a_moment_later_without_a_sweep(gateway: Gateway) -> None:
    gateway.devices.connections._sweeping.cancel()  # type: ignore[union-attr]  # noqa: SLF001 - it would hide what is meant
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)
    await gateway.request()
    await until(agent, lambda view: view.screen is Screen.SWIPE_CARD)
    await until_written(gateway, Screen.SWIPE_CARD)
    agent.press(Key.CANCEL)
    await until_written(gateway, Screen.CANCELLED)


async def until_written(gateway: Gateway, screen: Screen) -> None:
    """Until the database knows what the terminal shows."""
    terminal = await eventually(
        lambda: gateway.store.read(find_smart_terminal, gateway.clock.now(), COUNTER), lambda found: found.screen == screen
    )
    assert terminal.online


async def test_a_node_that_stops_lets_its_terminals_go(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)

    await gateway.devices.connections.stop()

    await until(agent, lambda view: not view.online)
    await eventually(lambda: gateway.store.read(node_connections, "node-1"), lambda held: not held)
