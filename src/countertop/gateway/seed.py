"""Seed files: what a server should hold before anybody has typed anything, as TOML.

A file is checked whole before anything of it is applied, and every fault is told with its place in the file, never with what
stood there. Passwords are hashed on the way; one that is right keeps its hash, so that applying a file again changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from countertop.domain.clock import SECOND
from countertop.domain.errors import Invalid, LimitReached, NotReadable
from countertop.domain.releases import NEWEST, Release, release_at
from countertop.domain.webhook import url_fault
from countertop.gateway.http.webhook import SeededEvent
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.seed import (
    Seed,
    SeedKey,
    SeedLogin,
    SeedMerchant,
    SeedSmartTerminal,
    SeedTerminal,
    SeedWebhook,
    apply_seed,
    password_hashes,
)
from countertop.gateway.password import hash_password, matches
from countertop.gateway.settings import SettingsError
from countertop.gateway.store.store import Store

_MOST_NUMBER: Final = 2**63 - 1


class SeedError(SettingsError):
    """A seed file that cannot be applied. The text is one line and quotes no value of the file."""


def _release(value: object) -> object:
    try:
        return release_at(value if isinstance(value, str) else str(value))
    except NotReadable as error:
        raise ValueError(str(error)) from None


Name = Annotated[str, Field(min_length=1, max_length=255)]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), AfterValidator(str.lower)]
PinnedRelease = Annotated[Release, BeforeValidator(_release)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Autopilot(_Table):
    """A customer who acts by itself, `after_ms` after something is shown: what it does on which screen. Test server only."""

    after_ms: int = Field(0, ge=0, le=3_600_000)
    swipe: str | None = Field(None, max_length=1024, repr=False)
    press: Literal["CANCEL", "CLEAR", "ENTER", "BUTTON_1", "BUTTON_2", "BUTTON_3", "BUTTON_4"] | None = None
    type: str | None = Field(None, pattern=r"^[0-9]*$", max_length=32, repr=False)
    sign: bool = False
    card: str | None = Field(None, pattern=r"^[0-9]{12,19}$", repr=False)


class LoginTable(_Table):
    """`[[merchant.login]]`."""

    login: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^:\x00]+$")]
    password: str = Field(min_length=1, max_length=1024, repr=False)


class KeyTable(_Table):
    """`[[merchant.application_key]]`."""

    key: str = Field(min_length=1, max_length=128, repr=False)
    release: PinnedRelease = NEWEST


class TerminalTable(_Table):
    """`[[merchant.terminal]]`: a merchant account."""

    terminal_id: int = Field(alias="terminalId", ge=0, le=_MOST_NUMBER)
    nick_name: Name = Field(alias="nickName")
    type: Literal["CARD", "ACH"] = "CARD"
    enabled: bool = True
    is_default: bool = Field(False, alias="default")
    level3: bool = False


class SmartTerminalTable(_Table):
    """`[[merchant.smart_terminal]]`: a device."""

    smart_terminal_id: Uuid = Field(alias="smartTerminalId")
    nick_name: Name = Field(alias="nickName")
    serial_number: str = Field("", alias="serialNumber", max_length=255)
    request_deadline: int | None = Field(None, alias="requestDeadline", ge=30, le=300)
    virtual: bool = False
    autopilot: Autopilot | None = None


class WebhookTable(_Table):
    """`[[merchant.webhook]]`."""

    event: SeededEvent
    url: Annotated[str, Field(min_length=1, max_length=255)]
    secret: str | None = Field(None, max_length=255, repr=False)


class MerchantTable(_Table):
    """`[[merchant]]`."""

    name: Name
    login: tuple[LoginTable, ...] = ()
    application_key: tuple[KeyTable, ...] = ()
    terminal: tuple[TerminalTable, ...] = ()
    smart_terminal: tuple[SmartTerminalTable, ...] = ()
    webhook: tuple[WebhookTable, ...] = ()


class SeedFile(_Table):
    """A whole file."""

    merchant: tuple[MerchantTable, ...] = ()


def read_seed(path: Path, *, test_server: bool) -> SeedFile:
    """The content of a seed file; a production server takes less.

    Raises SeedError with every fault in it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SeedError(f"{path} cannot be read: {reason}") from None
    return check_seed(document, str(path), test_server=test_server)


def check_seed(document: Mapping[str, Any], name: str, *, test_server: bool) -> SeedFile:
    """A document of the form of a seed file, checked; `name` is what errors call it. Raises SeedError."""
    try:
        file = SeedFile.model_validate(_tuples(document))
    except ValidationError as error:
        raise SeedError(f"{name}: " + "; ".join(_describe(fault) for fault in error.errors())) from None
    for hook in (hook for merchant in file.merchant for hook in merchant.webhook):
        fault = url_fault(hook.url, loopback=test_server)
        if fault is not None:
            raise SeedError(f"{name}: a webhook's url: {fault}")
    if not test_server and any(device.virtual for merchant in file.merchant for device in merchant.smart_terminal):
        raise SeedError(f"{name}: virtual terminals exist on a test server only")
    return file


async def plant(store: Store, file: SeedFile, now: Callable[[], Moment]) -> int:
    """Applies a seed file. Returns how many rows that made or changed. Raises SeedError if it contradicts what is stored."""
    logins = [login.login for merchant in file.merchant for login in merchant.login]
    known = await store.read(password_hashes, logins)
    seed = await asyncio.to_thread(_seed, file, known)
    try:
        return await store.write(apply_seed, now(), seed)
    except (Invalid, LimitReached) as error:
        reasons = [fault.message for fault in error.faults] if isinstance(error, Invalid) else [str(error)]
        raise SeedError(f"the seed cannot be applied: {'; '.join(reasons)}") from None


def _seed(file: SeedFile, known: Mapping[str, str]) -> Seed:
    return Seed([_merchant(merchant, known) for merchant in file.merchant])


def _merchant(table: MerchantTable, known: Mapping[str, str]) -> SeedMerchant:
    return SeedMerchant(
        table.name,
        [SeedLogin(login.login, _hash(login, known.get(login.login))) for login in table.login],
        [SeedKey(hashlib.sha256(key.key.encode()).digest(), key.release) for key in table.application_key],
        [SeedTerminal(**dict(terminal)) for terminal in table.terminal],
        [_smart_terminal(device) for device in table.smart_terminal],
        [SeedWebhook(**dict(webhook)) for webhook in table.webhook],
    )


def _hash(login: LoginTable, known: str | None) -> str:
    return known if known is not None and matches(known, login.password) else hash_password(login.password)


def _smart_terminal(table: SmartTerminalTable) -> SeedSmartTerminal:
    return SeedSmartTerminal(
        table.smart_terminal_id,
        table.nick_name,
        table.serial_number,
        table.request_deadline and table.request_deadline * SECOND,
        table.virtual,
        None if table.autopilot is None else table.autopilot.model_dump_json(exclude_none=True),
    )


def _tuples(value: object) -> Any:
    """TOML's arrays as tuples, which is what the tables hold."""
    if isinstance(value, Mapping):
        return {name: _tuples(inner) for name, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _describe(fault: Mapping[str, Any]) -> str:
    """A fault's place, as `merchant 1, login 2, password`, and what is wrong there."""
    place = ""
    for part in fault["loc"]:
        place += f" {part + 1}" if isinstance(part, int) else f", {part}" if place else part
    what = "there is no such key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
    return f"{place}: {what}"
