"""Which terminal is connected where, and what it should show.

A terminal has one connection. A newer one takes its place; what the older one still says is then nobody's. A terminal is online
while the node that holds its connection renews its lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from countertop.domain.clock import Instant
from countertop.domain.errors import NotFound
from countertop.domain.hint import ConnectionHint
from countertop.domain.order import Order
from countertop.domain.request import Status
from countertop.domain.value import value
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec
from countertop.gateway.store import connection as rows
from countertop.gateway.store import request as requests
from countertop.gateway.store.connection import Connection
from countertop.gateway.store.request import Shown
from countertop.gateway.store.unit import Unit


@value
class Running:
    """What a terminal should show. `remaining` is how long it may stay on the screen, in ms.

    `card_taken`: it is a payment whose card is here already.
    """

    smart_terminal_id: str
    request_id: str
    order: Order = field(repr=False)
    status: Status
    remaining: int
    card_taken: bool = False


@value
class Greeting:
    """What a terminal learns when it connects."""

    nick_name: str
    merchant_name: str
    running: Running | None


def connect_terminal(unit: Unit, at: Moment, smart_terminal_id: str, connection_id: str, screen: str) -> Greeting:
    """The terminal has connected to this node; an older connection of it is over, wherever it was.

    Raises NotFound if there is no such terminal (any more).
    """
    names = unit.one(rows.FIND_NAMES, smart_terminal_id=smart_terminal_id)
    if names is None:
        raise NotFound("no such Smart Terminal")
    facts = {"connection_id": connection_id, "node_id": at.node_id, "screen": screen, "since": at.now, "last_seen": at.now}
    if not unit.run(rows.REPLACE, terminal=smart_terminal_id, **facts):
        unit.run(rows.INSERT, smart_terminal_id=smart_terminal_id, **facts)
    unit.hint(ConnectionHint(smart_terminal_id, connection_id))
    shown = unit.one(requests.FIND_SHOWN, smart_terminal_id=smart_terminal_id)
    return Greeting(names.nick_name, names.merchant_name, None if shown is None else _running(shown, at.now))


def disconnect_terminal(unit: Unit, at: Moment, smart_terminal_id: str, connection_id: str) -> None:
    """The connection has ended. Nothing happens if the terminal has a newer one."""
    unit.run(rows.END, terminal=smart_terminal_id, connection=connection_id, last_seen=at.now)


def note_screens(unit: Unit, at: Moment, screens: Sequence[tuple[str, str, str]]) -> None:
    """Terminals show other screens: the ids of each and of its connection, and the screen.

    Nothing happens to one that has a newer connection.
    """
    for smart_terminal_id, connection_id, screen in screens:
        unit.run(rows.NOTE_SCREEN, terminal=smart_terminal_id, connection=connection_id, screen=screen, last_seen=at.now)


def renew_node(unit: Unit, at: Moment, lease: int) -> None:
    """This node lives, for at least `lease` ms more; so its terminals are online."""
    if not unit.run(rows.RENEW_NODE, node=at.node_id, leased_until=at.now + lease):
        unit.run(rows.INSERT_NODE, id=at.node_id, leased_until=at.now + lease)


def retire_node(unit: Unit, at: Moment) -> None:
    """This node stops: its terminals are offline until they connect elsewhere."""
    unit.run(rows.END_NODE, node=at.node_id, last_seen=at.now)
    unit.run(rows.DELETE_NODE, node=at.node_id)


def retire_lost_nodes(unit: Unit, at: Moment, grace: int) -> int:
    """Forgets other nodes whose lease ran out more than `grace` ms ago. Returns how many.

    A negative `grace` forgets nodes whose lease still runs so long.
    """
    lost = unit.all(rows.LOST_NODES, before=at.now - grace, this_node=at.node_id)
    for node_id in lost:
        unit.run(rows.END_NODE, node=node_id, last_seen=at.now)
        unit.run(rows.DELETE_NODE, node=node_id)
    return len(lost)


def terminal_online(unit: Unit, at: Moment, smart_terminal_id: str) -> bool:
    """Whether the terminal is connected to a node that lives; this one does, whenever it last said so."""
    online = unit.one(rows.IS_ONLINE, smart_terminal_id=smart_terminal_id, now=at.now, this_node=at.node_id)
    return online is True


def node_connections(unit: Unit, node_id: str) -> list[Connection]:
    """The connections that a node holds, as far as the database knows."""
    return unit.all(rows.OF_NODE, node_id=node_id)


def superseded_connections(unit: Unit, node_id: str, connections: Mapping[str, str]) -> set[str]:
    """Of this node's connections (terminal id → connection id), the terminals that have a newer one, here or elsewhere."""
    standing = unit.all(rows.STANDING, smart_terminal_ids=codec.write_list(list(connections)), node_id=node_id)
    return {terminal for terminal, connection in connections.items() if connection not in standing}


def running_requests(unit: Unit, now: Instant, smart_terminal_ids: Sequence[str]) -> list[Running]:
    """What these terminals should show."""
    shown = unit.all(requests.FIND_SHOWN_AMONG, smart_terminal_ids=codec.write_list(smart_terminal_ids))
    return [_running(row, now) for row in shown]


def waiting_requests(unit: Unit, now: Instant) -> list[Running]:
    """All requests that no terminal has shown yet."""
    return [_running(row, now) for row in unit.all(requests.FIND_CONNECTING)]


def _running(row: Shown, now: Instant) -> Running:
    remaining = row.deadline - now if row.status is Status.IN_PROGRESS else row.request_deadline
    taken = row.transaction_id is not None
    return Running(row.smart_terminal_id, row.id, codec.read_order(row.order), row.status, max(0, remaining), taken)
