"""Level 3 data of transactions."""

from __future__ import annotations

from countertop.domain.errors import NotFound
from countertop.domain.level3 import Level3, check_level3
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.transaction import find_transaction
from countertop.gateway.store import codec
from countertop.gateway.store import level3 as rows
from countertop.gateway.store.unit import Unit


def add_level3(unit: Unit, at: Moment, caller: Caller, transaction_id: int, data: Level3) -> None:
    """Adds level 3 data. Raises NotFound if the caller's merchant has no such transaction, Invalid if it may not take these."""
    del at  # every operation takes it
    transaction = find_transaction(unit, caller.merchant_id, transaction_id)
    present = unit.one(rows.FIND, transaction_id=transaction_id) is not None
    check_level3(transaction.rules, data, present=present)
    unit.run(rows.INSERT, transaction_id=transaction_id, data=codec.write_level3(data))


def find_level3(unit: Unit, merchant_id: str, transaction_id: int) -> Level3:
    """A transaction's level 3 data. Raises NotFound if the merchant has no such transaction, or it has none."""
    find_transaction(unit, merchant_id, transaction_id)
    text = unit.one(rows.FIND, transaction_id=transaction_id)
    if text is None:
        raise NotFound("no level 3 data")
    return codec.read_level3(text)


def delete_level3(unit: Unit, at: Moment, caller: Caller, transaction_id: int) -> None:
    """Removes a transaction's level 3 data. Raises NotFound if there is none."""
    del at  # every operation takes it
    find_transaction(unit, caller.merchant_id, transaction_id)
    if not unit.run(rows.DELETE, transaction_id=transaction_id):
        raise NotFound("no level 3 data")
