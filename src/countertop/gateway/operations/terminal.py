"""What a merchant has: itself, its accounts (terminals) and its devices (Smart Terminals)."""

from __future__ import annotations

from dataclasses import dataclass, field

from countertop.domain.clock import Instant
from countertop.domain.errors import NotFound
from countertop.gateway.store import codec, merchant, terminal
from countertop.gateway.store.merchant import Merchant
from countertop.gateway.store.terminal import SmartTerminal, Terminal
from countertop.gateway.store.unit import Unit

__all__ = [
    "Merchant",
    "SmartTerminal",
    "Terminal",
    "VirtualTerminal",
    "find_merchant",
    "find_smart_terminal",
    "list_smart_terminals",
    "list_terminals",
    "list_virtual_terminals",
    "set_token",
]


@dataclass(frozen=True, slots=True)
class VirtualTerminal:
    """A device that a test server runs itself. `autopilot` is the JSON of the customer who acts on it, if there is one."""

    id: str
    merchant_id: str
    autopilot: bytes | None = field(repr=False)


def find_merchant(unit: Unit, merchant_id: str) -> Merchant:
    """A merchant. Raises NotFound if there is none of this id."""
    found = unit.one(merchant.FIND, merchant_id=merchant_id)
    if found is None:
        raise NotFound("no such merchant")
    return found


def list_terminals(unit: Unit, merchant_id: str, offset: int, limit: int) -> list[Terminal]:
    """The merchant's accounts, disabled ones too, by their number."""
    return unit.all(terminal.LIST, merchant_id=merchant_id, offset=offset, limit=limit)


def list_smart_terminals(unit: Unit, now: Instant, merchant_id: str, offset: int, limit: int) -> list[SmartTerminal]:
    """The merchant's devices, oldest first, and whether they are online now."""
    return unit.all(terminal.LIST_SMART, merchant_id=merchant_id, offset=offset, limit=limit, now=now)


def find_smart_terminal(unit: Unit, now: Instant, smart_terminal_id: str) -> SmartTerminal:
    """A device, whoever's it is. Raises NotFound if there is none of this id."""
    found = unit.one(terminal.FIND_SMART, smart_terminal_id=smart_terminal_id, now=now)
    if found is None:
        raise NotFound("no such Smart Terminal")
    return found


def list_virtual_terminals(unit: Unit, now: Instant) -> list[VirtualTerminal]:
    """The devices that a test server runs itself."""
    return [
        VirtualTerminal(row.id, row.merchant_id, row.sealed_autopilot and unit.unseal(row.sealed_autopilot, codec.AUTOPILOT))
        for row in unit.all(terminal.LIST_VIRTUAL, now=now)
    ]


def set_token(unit: Unit, smart_terminal_id: str, token_hash: bytes | None) -> None:
    """Gives a device a new token, by its SHA-256; the one before is void. None: the device has to pair again.

    Raises NotFound if there is no such device.
    """
    if not unit.run(terminal.SET_TOKEN, smart_terminal_id=smart_terminal_id, token_hash=token_hash):
        raise NotFound("no such Smart Terminal")
