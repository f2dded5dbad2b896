"""Seeding: what a server should hold before anybody has typed anything. Applying the same seed again changes nothing.

A merchant is known by its name, a login by its name, an application key by itself, an account by its number, a Smart Terminal by
its id, a subscription by event and URL. What a seed names is brought to what the seed says; what it does not name is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from countertop.domain.errors import Fault, Invalid
from countertop.domain.releases import NEWEST, Release
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.webhook import change_webhook, create_webhook
from countertop.gateway.store import codec, merchant, terminal, webhook
from countertop.gateway.store.unit import Unit


@dataclass(frozen=True, slots=True)
class SeedLogin:
    """A login. To change nothing where the password is right already, give the hash that `password_hashes` told."""

    login: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeedKey:
    """An application key by its SHA-256, and the release it is pinned to."""

    key_hash: bytes
    release: Release = NEWEST


@dataclass(frozen=True, slots=True)
class SeedTerminal:
    """A merchant account. Texts that are left out are the merchant's name, or empty; `surcharge_rate` as in `Terminal`."""

    terminal_id: int
    nick_name: str
    type: str = "CARD"
    enabled: bool = True
    is_default: bool = False
    level3: bool = False
    company_dba: str | None = None
    company_legal: str | None = None
    merchant_number: str = ""
    surcharge_rate: int | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class SeedSmartTerminal:
    """A device. `request_deadline` in ms, None: the server's setting. `autopilot` is JSON text."""

    smart_terminal_id: str
    nick_name: str
    serial_number: str = ""
    request_deadline: int | None = None
    virtual: bool = False
    autopilot: str | None = None


@dataclass(frozen=True, slots=True)
class SeedWebhook:
    """A subscription."""

    event: str
    url: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SeedMerchant:
    """A merchant and all that is its."""

    name: str
    logins: Sequence[SeedLogin] = ()
    application_keys: Sequence[SeedKey] = ()
    terminals: Sequence[SeedTerminal] = ()
    smart_terminals: Sequence[SeedSmartTerminal] = ()
    webhooks: Sequence[SeedWebhook] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """What a seed file holds."""

    merchants: Sequence[SeedMerchant] = ()


def password_hashes(unit: Unit, logins: Sequence[str]) -> dict[str, str]:
    """The password hashes of those of these logins that exist."""
    found = {name: unit.one(merchant.FIND_LOGIN, login=name) for name in logins}
    return {name: login.password_hash for name, login in found.items() if login is not None}


def apply_seed(unit: Unit, at: Moment, seed: Seed) -> int:
    """Brings the store to what the seed says. Returns how many rows that made or changed.

    Raises Invalid if something it names belongs to another merchant, LimitReached if it has too many webhooks for a merchant;
    then nothing is changed.
    """
    return sum(_apply(unit, at, seeded) for seeded in seed.merchants)


def _apply(unit: Unit, at: Moment, seeded: SeedMerchant) -> int:
    found = unit.one(merchant.FIND_BY_NAME, name=seeded.name)
    merchant_id = at.new_id() if found is None else found.id
    changed = 0
    if found is None:
        changed += unit.run(merchant.INSERT, id=merchant_id, name=seeded.name, created=at.now)
    changed += sum(_login(unit, at, merchant_id, login) for login in seeded.logins)
    changed += sum(_key(unit, at, merchant_id, key) for key in seeded.application_keys)
    changed += sum(_terminal(unit, at, merchant_id, seeded.name, account) for account in seeded.terminals)
    changed += sum(_smart_terminal(unit, at, merchant_id, device) for device in seeded.smart_terminals)
    changed += sum(_webhook(unit, at, merchant_id, hook) for hook in seeded.webhooks)
    return changed


def _login(unit: Unit, at: Moment, merchant_id: str, seeded: SeedLogin) -> int:
    found = unit.one(merchant.FIND_LOGIN, login=seeded.login)
    if found is None:
        facts = {"merchant_id": merchant_id, "login": seeded.login, "password_hash": seeded.password_hash}
        return unit.run(merchant.INSERT_LOGIN, id=at.new_id(), created=at.now, **facts)
    _own(found.merchant_id, merchant_id, "login")
    if found.password_hash == seeded.password_hash:
        return 0
    return unit.run(merchant.CHANGE_LOGIN, login_id=found.id, password_hash=seeded.password_hash)


def _key(unit: Unit, at: Moment, merchant_id: str, seeded: SeedKey) -> int:
    found = unit.one(merchant.FIND_KEY, key_hash=seeded.key_hash)
    if found is None:
        facts = {"merchant_id": merchant_id, "release": seeded.release}
        return unit.run(merchant.INSERT_KEY, key_hash=seeded.key_hash, created=at.now, **facts)
    _own(found.merchant_id, merchant_id, "application_key")
    return 0 if found.release == seeded.release else unit.run(merchant.CHANGE_KEY, hash=seeded.key_hash, release=seeded.release)


def _terminal(unit: Unit, at: Moment, merchant_id: str, name: str, seeded: SeedTerminal) -> int:
    found = unit.one(terminal.FIND_ACCOUNT, merchant_id=merchant_id, terminal_id=seeded.terminal_id)
    facts: dict[str, Any] = {
        "nick_name": seeded.nick_name,
        "type": seeded.type,
        "enabled": seeded.enabled,
        "is_default": seeded.is_default,
        "level3": seeded.level3,
        "company_dba": name if seeded.company_dba is None else seeded.company_dba,
        "company_legal": name if seeded.company_legal is None else seeded.company_legal,
        "merchant_number": seeded.merchant_number,
        "surcharge_rate": seeded.surcharge_rate,
    }
    if found is None:
        account_id = seeded.account_id or at.new_id()
        return unit.run(terminal.INSERT, merchant_id=merchant_id, terminal_id=seeded.terminal_id, account_id=account_id, **facts)
    facts["account_id"] = seeded.account_id or found.account_id
    if all(getattr(found, name) == value for name, value in facts.items()):
        return 0
    return unit.run(terminal.CHANGE, merchant=merchant_id, number=seeded.terminal_id, **facts)


def _smart_terminal(unit: Unit, at: Moment, merchant_id: str, seeded: SeedSmartTerminal) -> int:
    found = unit.one(terminal.FIND_SMART, smart_terminal_id=seeded.smart_terminal_id, now=at.now)
    facts: dict[str, Any] = {
        "nick_name": seeded.nick_name,
        "serial_number": seeded.serial_number,
        "request_deadline": seeded.request_deadline,
        "virtual": seeded.virtual,
        "sealed_autopilot": _sealed_autopilot(unit, found, seeded.autopilot),
    }
    if found is None:
        return unit.run(
            terminal.INSERT_SMART,
            id=seeded.smart_terminal_id,
            merchant_id=merchant_id,
            token_hash=None,
            created=at.now,
            **facts,
        )
    _own(found.merchant_id, merchant_id, "smartTerminalId")
    if all(getattr(found, name) == value for name, value in facts.items()):
        return 0
    return unit.run(terminal.CHANGE_SMART, smart_terminal_id=seeded.smart_terminal_id, **facts)


def _sealed_autopilot(unit: Unit, found: terminal.SmartTerminal | None, autopilot: str | None) -> bytes | None:
    """What rests of an autopilot. Sealing twice gives two texts, so what rests already stays if it says the same."""
    if autopilot is None:
        return None
    sealed = None if found is None else found.sealed_autopilot
    plain = autopilot.encode()
    if sealed is not None and unit.unseal(sealed, codec.AUTOPILOT) == plain:
        return sealed
    return unit.seal(plain, codec.AUTOPILOT)


def _webhook(unit: Unit, at: Moment, merchant_id: str, seeded: SeedWebhook) -> int:
    found = unit.one(webhook.FIND_SAME, merchant_id=merchant_id, event=seeded.event, url=seeded.url)
    caller = Caller(merchant_id, "", NEWEST)
    if found is None:
        create_webhook(unit, at, caller, seeded.event, seeded.url, seeded.secret)
        return 1
    secret = "" if found.sealed_secret is None else unit.unseal(found.sealed_secret, codec.WEBHOOK_SECRET).decode()
    if secret == (seeded.secret or ""):
        return 0
    change_webhook(unit, at, caller, found.id, secret=seeded.secret or "")
    return 1


def _own(owner: str, merchant_id: str, what: str) -> None:
    if owner != merchant_id:
        raise Invalid([Fault(what, "invalid", f"this {what} belongs to another merchant")])
