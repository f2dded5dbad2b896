"""What rests is sealed: no digit of a card and no secret is anywhere in the database in the open."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from countertop.domain.hint import DeliveryHint
from countertop.domain.request import Outcome
from countertop.domain.result import CardRead
from countertop.gateway.operations.answer import once
from countertop.gateway.operations.sealing import reseal
from countertop.gateway.store import table
from countertop.gateway.store.sealing import Broken, KeyFileUnusable, Keyring, Sealer, load_keyring, save_keyring
from tests.store.world import World, opened

DIGITS = "7090112233659876"
CANARY = CardRead(f";{DIGITS}?", None, DIGITS)
SECRET = "canary-webhook-secret"


async def leave_canaries(world: World) -> str:
    await world.subscribe(secret=SECRET)
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id, Outcome.CARD_READ, CANARY)
    await world.store.write(once, world.at(), world.caller, b"k" * 32, b"f" * 32, lambda _: (200, DIGITS.encode()))
    return request_id


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_no_canary_rests_in_the_open(url: str, tmp_path: Path) -> None:
    async with opened(url) as world:
        await leave_canaries(world)
        rows = [await world.rows(select(found)) for found in table.metadata.sorted_tables if found.name in _MINE]
        text = repr(rows)
        files = contents(tmp_path)
    for canary in (DIGITS, SECRET):
        assert canary not in text
        assert canary.encode() not in files
    if url.startswith("sqlite"):
        assert b"SMARTTERMINAL_REQUEST" in files


_MINE = {"request", "event", "delivery", "attempt", "webhook", "answer"}


def test_a_delivery_in_a_log_line_shows_no_canary() -> None:
    assert DIGITS not in repr(CANARY)
    assert DIGITS not in repr(DeliveryHint(()))


async def test_values_can_be_sealed_anew_while_both_keys_are_there(url: str) -> None:
    old = Keyring.new()
    both = old.with_new_key()
    async with opened(url, keyring=old) as world:
        request_id = await leave_canaries(world)
        caller = world.caller
    async with opened(url, keyring=both) as world:
        assert (await world.view(request_id)).result == CANARY
        assert await reseal(world.store, chunk=2) == 4
        assert await reseal(world.store) == 0
    async with opened(url, keyring=both.only_current()) as world:
        assert (await world.view(request_id)).result == CANARY
        again = await world.store.write(once, world.at(), caller, b"k" * 32, b"f" * 32, lambda _: (500, b""))
        assert again == (200, DIGITS.encode())


async def test_without_the_key_nothing_can_be_read(url: str) -> None:
    async with opened(url) as world:
        request_id = await leave_canaries(world)
    async with opened(url, keyring=Keyring.new()) as world:
        with pytest.raises(Broken):
            await world.view(request_id)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_sealed_can_be_opened_for_the_same_purpose(plain: bytes, purpose: str) -> None:
    sealer = Sealer(Keyring.new())
    sealed = sealer.seal(plain, purpose)
    assert sealer.unseal(sealed, purpose) == plain
    assert sealer.seal(plain, purpose) != sealed
    with pytest.raises(Broken):
        sealer.unseal(sealed, purpose + "?")


@given(st.integers(min_value=0), st.integers(1, 255))
def test_one_changed_byte_breaks_a_seal(place: int, change: int) -> None:
    sealer = Sealer(Keyring.new())
    sealed = bytearray(sealer.seal(b"something", "test"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(Broken):
        sealer.unseal(bytes(sealed), "test")


@given(st.binary(max_size=40))
def test_garbage_is_not_sealed(garbage: bytes) -> None:
    with pytest.raises(Broken):
        Sealer(Keyring.new()).unseal(garbage, "test")


def test_the_first_start_makes_a_key_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    made = load_keyring(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keyring(path).dump() == made.dump()
    assert [found.name for found in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    load_keyring(path)
    path.chmod(mode)
    with pytest.raises(KeyFileUnusable, match="0600"):
        load_keyring(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"current": "00000000", "keys": {}}',
        '{"current": "00000000", "keys": {"00000000": "c2hvcnQ="}}',
        '{"current": "00", "keys": {"00": "' + "A" * 43 + '="}}',
        '{"current": 1, "keys": {"00000000": 2}}',
        '{"current": "00000000", "keys": {"00000000": "***"}}',
    ],
)
def test_what_is_no_key_file_is_refused_without_quoting_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(content)
    with pytest.raises(KeyFileUnusable, match="is not a key file"):
        load_keyring(path)


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="does not exist"):
        load_keyring(tmp_path / "keys", create=False)
    with pytest.raises(KeyFileUnusable, match="cannot be made"):
        load_keyring(tmp_path / "no such folder" / "keys")


def test_a_key_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    more = load_keyring(path).with_new_key()
    save_keyring(path, more)
    assert load_keyring(path).dump() == more.dump()
    assert len(json.loads(path.read_text())["keys"]) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
