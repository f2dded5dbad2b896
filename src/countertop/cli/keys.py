"""`countertop keys`: changes the keys under which things rest, while nodes serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from countertop.cli.process import complaints
from countertop.gateway.assembly import opened_store
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.key_watch import LOOK_S
from countertop.gateway.operations.sealing import reseal
from countertop.gateway.settings import Settings, SettingsError, load_settings
from countertop.gateway.store.sealing import KeyFileUnusable, Keyring, Sealer, load_keyring, save_keyring

FOLLOWED_S: Final = 3 * LOOK_S
"""How long it takes until every node on this machine has surely seen a change of the key file."""


def add(flags: Mapping[str, object]) -> int:
    """Adds a key that does not seal yet. Returns the exit status."""
    return _change(flags, _add)


def use(flags: Mapping[str, object]) -> int:
    """Has the newest key seal, and seals everything anew with it. Returns the exit status."""
    return _change(flags, _use)


def rotate(flags: Mapping[str, object]) -> int:
    """`add`, then `use`, for nodes that share this key file. Returns the exit status."""
    return _change(flags, _rotate)


def prune(flags: Mapping[str, object]) -> int:
    """Takes all keys out but the current one, if nothing rests under them. Returns the exit status."""
    return _change(flags, _prune)


def _change(flags: Mapping[str, object], work: Callable[[Settings], None]) -> int:
    with complaints() as complaint:
        try:
            work(load_settings(flags))
        except KeyFileUnusable as error:
            raise SettingsError(f"SECRET_KEY_FILE: {error}") from None
    return complaint.status


def _add(settings: Settings) -> None:
    keyring = load_keyring(settings.key_file, create=False).with_key_added()
    save_keyring(settings.key_file, keyring)
    print(f"{settings.key_file} has {len(keyring)} keys; the newest does not seal yet")


def _use(settings: Settings) -> None:
    keyring = load_keyring(settings.key_file, create=False).with_newest_current()
    save_keyring(settings.key_file, keyring)
    count = asyncio.run(_reseal(settings, keyring, wait_s=FOLLOWED_S))
    print(f"{count} values were sealed anew with key {keyring.current.hex()}")


def _rotate(settings: Settings) -> None:
    _add(settings)
    asyncio.run(asyncio.sleep(FOLLOWED_S))
    _use(settings)


def _prune(settings: Settings) -> None:
    keyring = load_keyring(settings.key_file, create=False)
    if count := asyncio.run(_reseal(settings, keyring)):
        raise SettingsError(
            f"{count} values rested under an older key and were sealed anew: some node does not use the current key yet; "
            "see to it that all have this key file, then try again"
        )
    save_keyring(settings.key_file, keyring.only_current())
    print(f"{settings.key_file} has 1 key")


async def _reseal(settings: Settings, keyring: Keyring, wait_s: float = 0) -> int:
    await asyncio.sleep(wait_s)
    async with opened_store(settings, Sealer(keyring), LocalBus().publish) as store:
        return await reseal(store)
