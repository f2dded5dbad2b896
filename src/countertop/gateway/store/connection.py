"""Statements on terminals' connections and on the nodes that hold them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, and_, bindparam, cast, delete, func, insert, or_, select, update

from countertop.domain.value import value
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query, among

connection = table.connection.c
node = table.node.c
_smart = table.smart_terminal.c
_merchant = table.merchant.c


@value
class Names:
    """What a terminal is told about itself."""

    nick_name: str
    merchant_name: str


@value
class Connection:
    """A connection that a node holds."""

    smart_terminal_id: str
    connection_id: str


IS_ONLINE: Final = Query(
    select(func.count())
    .select_from(table.connection.outerjoin(table.node, connection.node_id == node.id))
    .where(
        connection.smart_terminal_id == bindparam("smart_terminal_id"),
        or_(connection.node_id == bindparam("this_node"), node.leased_until > bindparam("now")),
    ),
    bool,
)
"""Whether a terminal's connection is held by a node that lives; the node that asks does."""

FIND_NAMES: Final = Query(
    select(_smart.nick_name, _merchant.name)
    .select_from(table.smart_terminal.join(table.merchant, _merchant.id == _smart.merchant_id))
    .where(_smart.id == bindparam("smart_terminal_id")),
    Names,
)

INSERT: Final = Command(insert(table.connection))

REPLACE: Final = Command(
    update(table.connection)
    .where(connection.smart_terminal_id == bindparam("terminal"))
    .values(
        connection_id=bindparam("connection_id"),
        node_id=bindparam("node_id"),
        screen=bindparam("screen"),
        since=bindparam("since"),
        last_seen=bindparam("last_seen"),
    )
)

_THIS: Final = and_(connection.smart_terminal_id == bindparam("terminal"), connection.connection_id == bindparam("connection"))

END: Final = Command(update(table.connection).where(_THIS).values(node_id=None, last_seen=bindparam("last_seen")))
"""Only if it is still the terminal's connection: a newer one is not touched."""

NOTE_SCREEN: Final = Command(
    update(table.connection).where(_THIS).values(screen=bindparam("screen"), last_seen=bindparam("last_seen"))
)

OF_NODE: Final = Query(
    select(connection.smart_terminal_id, connection.connection_id).where(connection.node_id == bindparam("node_id")), Connection
)

STANDING: Final = Query(
    select(connection.connection_id).where(
        among(connection.smart_terminal_id, "smart_terminal_ids"), connection.node_id == bindparam("node_id")
    ),
    str,
)
"""Which connections of this node are still the ones that their terminals have."""

INSERT_NODE: Final = Command(insert(table.node))
RENEW_NODE: Final = Command(update(table.node).where(node.id == bindparam("node")).values(leased_until=bindparam("leased_until")))
SEE_NODE: Final = Command(
    update(table.connection).where(connection.node_id == bindparam("node")).values(last_seen=bindparam("last_seen"))
)
END_NODE: Final = Command(
    update(table.connection).where(connection.node_id == bindparam("node")).values(node_id=None, last_seen=bindparam("last_seen"))
)
DELETE_NODE: Final = Command(delete(table.node).where(node.id == bindparam("node")))
SHARED_TIME: Final = Query(select(cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)), int)
"""What time it is for all nodes of a PostgreSQL, by whose clock the leases run."""
LOST_NODES: Final = Query(select(node.id).where(node.leased_until <= bindparam("before"), node.id != bindparam("this_node")), str)
