"""Changing the key under which things rest.

A key is added to the key file; when every node knows it, it becomes the current one; what older keys sealed is sealed anew; then
older keys are taken out. Nodes follow their key file while they serve (`gateway.key_watch`); `countertop keys` does the steps.
"""

from __future__ import annotations

from countertop.gateway.store.sealed import COLUMNS, Key, SealedColumn
from countertop.gateway.store.store import Store
from countertop.gateway.store.unit import Unit


async def reseal(store: Store, *, chunk: int = 500) -> int:
    """Seals everything anew that is sealed with another than the current key. Returns how many values that were.

    Works through the tables in units of `chunk` rows, so everything else goes on meanwhile; may be broken off and begun again.
    """
    total = 0
    for column in COLUMNS:
        after: Key | None = None
        while True:
            count, after = await store.write(reseal_rows, column, after, chunk)
            total += count
            if after is None:
                break
    return total


def reseal_rows(unit: Unit, column: SealedColumn, after: Key | None, limit: int) -> tuple[int, Key | None]:
    """Looks at the next rows of a column. Returns how many values it sealed anew, and where to go on; None: that was all."""
    if after is None:
        rows = unit.all(column.first, limit=limit)
    else:
        rows = unit.all(column.walk, limit=limit, **{f"after{at}": part for at, part in enumerate(after)})
    count = 0
    for sealed, *key in rows:
        if unit.outdated(sealed):
            fresh = unit.seal(unit.unseal(sealed, column.purpose), column.purpose)
            where = {f"key{at}": part for at, part in enumerate(key)}
            count += unit.run(column.replace, was=sealed, becomes=fresh, **where)
    return count, tuple(rows[-1][1:]) if len(rows) == limit else None
