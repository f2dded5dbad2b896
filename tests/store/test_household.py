"""What a merchant has: accounts, devices, logins, keys, webhooks; how a seed makes them and a pairing joins them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select

from countertop.domain.clock import MINUTE, SECOND
from countertop.domain.errors import Invalid, LimitReached, NotFound
from countertop.domain.hint import ConnectionHint
from countertop.domain.request import Status
from countertop.gateway.operations.access import ApplicationKey, find_application_key, find_login
from countertop.gateway.operations.connection import (
    connect_terminal,
    disconnect_terminal,
    node_connections,
    note_screens,
    renew_node,
    retire_lost_nodes,
    retire_node,
    running_requests,
    superseded_connections,
    waiting_requests,
)
from countertop.gateway.operations.pairing import (
    INTERVAL,
    LIFETIME,
    Pairing,
    Redemption,
    confirm_pairing,
    deny_pairing,
    find_paired,
    redeem_pairing,
    start_pairing,
)
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
from countertop.gateway.operations.terminal import (
    find_merchant,
    find_smart_terminal,
    list_smart_terminals,
    list_terminals,
    list_virtual_terminals,
    set_token,
)
from countertop.gateway.operations.webhook import (
    change_webhook,
    create_webhook,
    delete_webhook,
    find_webhook,
    list_webhooks,
)
from countertop.gateway.store import table
from tests.store.world import SHOWN, World, named, populate

SEEDED = SeedMerchant(
    "Seeded",
    logins=[SeedLogin("corner", "$argon2id$1")],
    application_keys=[SeedKey(b"k" * 32, "2018-06-19")],
    terminals=[SeedTerminal(1, "Main", is_default=True), SeedTerminal(2, "Bank", "ACH", enabled=False, surcharge_rate=3000)],
    smart_terminals=[SeedSmartTerminal("s-1", "Counter 1", virtual=True, autopilot='{"after_ms": 30}')],
    webhooks=[SeedWebhook("SMARTTERMINAL_REQUEST", "http://127.0.0.1:9000/hook", "hush")],
)


async def sown(world: World, *seeded: SeedMerchant) -> int:
    return await world.store.write(apply_seed, world.at(), Seed(seeded))


async def test_a_seed_makes_everything_it_names_and_nothing_the_second_time(world: World) -> None:
    assert await sown(world, SEEDED) == 7
    assert await sown(world, SEEDED) == 0
    merchant_id = await world.store.read(named, "Seeded")
    login = await world.store.read(find_login, "corner")
    assert login is not None
    assert (login.merchant_id, login.password_hash) == (merchant_id, "$argon2id$1")
    assert await world.store.read(password_hashes, ["corner", "nobody"]) == {"corner": "$argon2id$1"}
    assert await world.store.read(find_application_key, b"k" * 32) == ApplicationKey(merchant_id, "2018-06-19")
    main, bank = await world.store.read(list_terminals, merchant_id, 0, 10)
    assert (main.terminal_id, main.nick_name, main.type, main.enabled, main.is_default) == (1, "Main", "CARD", True, True)
    assert (bank.type, bank.enabled, bank.surcharge_rate, bank.company_dba) == ("ACH", False, 3000, "Seeded")
    (device,) = await world.store.read(list_virtual_terminals, world.now)
    assert (device.id, device.autopilot) == ("s-1", b'{"after_ms": 30}')
    (hook,) = await world.store.read(list_webhooks, merchant_id, 0, 10)
    assert hook.url == "http://127.0.0.1:9000/hook"
    assert (await world.store.read(find_merchant, merchant_id)).name == "Seeded"


async def test_a_changed_seed_changes_what_it_says(world: World) -> None:
    await sown(world, SEEDED)
    changed = replace(
        SEEDED,
        logins=[SeedLogin("corner", "$argon2id$2")],
        application_keys=[SeedKey(b"k" * 32)],
        terminals=[SeedTerminal(1, "Renamed")],
        smart_terminals=[SeedSmartTerminal("s-1", "Counter 2", request_deadline=SHOWN)],
        webhooks=[SeedWebhook("SMARTTERMINAL_REQUEST", "http://127.0.0.1:9000/hook", None)],
    )
    assert await sown(world, changed) == 5
    assert await sown(world, changed) == 0
    device = await world.store.read(find_smart_terminal, world.now, "s-1")
    assert (device.nick_name, device.request_deadline, device.virtual, device.sealed_autopilot) == (
        "Counter 2",
        SHOWN,
        False,
        None,
    )
    assert await world.rows(select(table.webhook.c.sealed_secret)) == [(None,)]
    merchant_id = await world.store.read(named, "Seeded")
    assert [account.nick_name for account in await world.store.read(list_terminals, merchant_id, 0, 10)] == ["Renamed", "Bank"]


@pytest.mark.parametrize(
    "theft",
    [
        SeedMerchant("Thief", logins=[SeedLogin("corner", "x")]),
        SeedMerchant("Thief", application_keys=[SeedKey(b"k" * 32)]),
        SeedMerchant("Thief", smart_terminals=[SeedSmartTerminal("s-1", "Mine now")]),
    ],
)
async def test_a_seed_takes_nothing_from_another_merchant(world: World, theft: SeedMerchant) -> None:
    await sown(world, SEEDED)
    with pytest.raises(Invalid):
        await sown(world, theft)
    assert await world.rows(select(table.merchant.c.name).where(table.merchant.c.name == "Thief")) == []


@pytest.mark.parametrize("name", ["nobody", "", "cor\0ner", "' OR 1=1 --", "ü" * 300])
async def test_who_has_no_login_is_nobody(world: World, name: str) -> None:
    assert await world.store.read(find_login, name) is None


async def test_lists_are_paged(world: World) -> None:
    merchant_id = world.caller.merchant_id
    for offset, expected in ((0, [1]), (1, [2]), (2, [])):
        found = await world.store.read(list_terminals, merchant_id, offset, 1)
        assert [account.terminal_id for account in found] == expected
    devices = [
        device.id for at in range(3) for device in await world.store.read(list_smart_terminals, world.now, merchant_id, at, 1)
    ]
    assert sorted(devices) == sorted(world.terminals)


async def test_webhooks_are_made_changed_and_ended(world: World) -> None:
    hook = await world.subscribe("https://a.example/")
    merchant_id = world.caller.merchant_id
    changed = await world.store.write(change_webhook, world.at(), world.caller, hook.id, url="https://b.example/")
    assert changed == replace(hook, url="https://b.example/")
    await world.store.write(change_webhook, world.at(), world.caller, hook.id, secret="")
    assert await world.rows(select(table.webhook.c.sealed_secret)) == [(None,)]
    assert await world.store.read(find_webhook, merchant_id, hook.id) == changed
    await world.store.write(delete_webhook, world.at(), world.caller, hook.id)
    for operation in (delete_webhook, change_webhook):
        with pytest.raises(NotFound):
            await world.store.write(operation, world.at(), world.caller, hook.id)
    assert await world.store.read(list_webhooks, merchant_id, 0, 10) == []


async def test_webhooks_of_another_merchant_are_unknown(world: World) -> None:
    hook = await world.subscribe()
    stranger, _ = await populate(world.store, "Another Shop")
    for operation in (delete_webhook, change_webhook):
        with pytest.raises(NotFound):
            await world.store.write(operation, world.at(), stranger, hook.id)
    with pytest.raises(NotFound):
        await world.store.read(find_webhook, stranger.merchant_id, hook.id)


async def test_a_merchant_has_ten_webhooks_however_hasty_it_is(world: World) -> None:
    asked = [
        world.store.write(create_webhook, world.at(), world.caller, "TRANSACTION", f"https://{at}.example/", None)
        for at in range(15)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, LimitReached)]
    assert [str(refusal) for refusal in refused] == ["Max webhook limit for merchant has been reached."] * 5
    assert len(await world.store.read(list_webhooks, world.caller.merchant_id, 0, 50)) == 10


async def paired(world: World, pairing: Pairing) -> Redemption:
    return (await world.store.write(redeem_pairing, world.at(), pairing.device_code)).what


async def test_a_terminal_is_paired(world: World) -> None:
    pairing = await world.store.write(start_pairing, world.at())
    assert await paired(world, pairing) is Redemption.PENDING
    assert await paired(world, pairing) is Redemption.SLOW_DOWN
    world.now += INTERVAL
    assert await paired(world, pairing) is Redemption.PENDING
    typed = pairing.user_code.replace("-", " ").lower()
    confirm = (world.caller.merchant_id, typed, world.terminals[0])
    await world.store.write(confirm_pairing, world.at(), *confirm)
    with pytest.raises(NotFound):
        await world.store.write(confirm_pairing, world.at(), *confirm)
    redeemed = await world.store.write(redeem_pairing, world.at(), pairing.device_code)
    assert (redeemed.what, redeemed.smart_terminal_id) == (Redemption.PAIRED, world.terminals[0])
    assert redeemed.token is not None
    token_hash = sha256(redeemed.token.encode()).digest()
    assert await world.store.peek(find_paired, token_hash) == world.terminals[0]
    assert await paired(world, pairing) is Redemption.EXPIRED
    await world.store.write(set_token, world.terminals[0], None)
    assert await world.store.peek(find_paired, token_hash) is None


async def test_a_terminal_can_be_turned_away(world: World) -> None:
    pairing = await world.store.write(start_pairing, world.at())
    await world.store.write(deny_pairing, world.at(), pairing.user_code)
    assert await paired(world, pairing) is Redemption.DENIED


async def test_a_pairing_runs_out(world: World) -> None:
    pairing = await world.store.write(start_pairing, world.at())
    world.now += LIFETIME
    assert await paired(world, pairing) is Redemption.EXPIRED
    with pytest.raises(NotFound):
        await world.store.write(deny_pairing, world.at(), pairing.user_code)


async def test_only_one_s_own_terminal_can_be_confirmed(world: World) -> None:
    stranger, _ = await populate(world.store, "Another Shop")
    pairing = await world.store.write(start_pairing, world.at())
    for merchant_id, terminal in ((stranger.merchant_id, world.terminals[0]), (world.caller.merchant_id, "no-such-terminal")):
        with pytest.raises(NotFound):
            await world.store.write(confirm_pairing, world.at(), merchant_id, pairing.user_code, terminal)


async def test_a_terminal_learns_who_it_is_and_what_it_should_show(world: World) -> None:
    terminal = world.terminals[0]
    greeting = await world.store.write(connect_terminal, world.at(), terminal, "c-1", "IDLE")
    assert (greeting.nick_name, greeting.merchant_name, greeting.running) == ("Counter 0", "Corner Books", None)
    request_id = await world.start()
    await world.show(request_id)
    world.now += SECOND
    greeting = await world.store.write(connect_terminal, world.at(), terminal, "c-2", "IDLE")
    assert greeting.running is not None
    assert (greeting.running.request_id, greeting.running.remaining) == (request_id, SHOWN - SECOND)
    assert greeting.running.status is Status.IN_PROGRESS
    assert world.heard(ConnectionHint) == [ConnectionHint(terminal, "c-1"), ConnectionHint(terminal, "c-2")]
    with pytest.raises(NotFound):
        await world.store.write(connect_terminal, world.at(), "no-such-terminal", "c", "IDLE")


async def test_a_newer_connection_takes_the_place_of_the_older(world: World) -> None:
    terminal = world.terminals[0]
    await world.connect(terminal, "old")
    await world.connect(terminal, "new")
    await world.store.jot(note_screens, world.at(later=5), [(terminal, "old", "SWIPE_CARD")])
    await world.store.write(disconnect_terminal, world.at(later=5), terminal, "old")
    assert [found.connection_id for found in await world.store.read(node_connections, world.node)] == ["new"]
    await world.store.jot(note_screens, world.at(later=9), [(terminal, "new", "SWIPE_CARD")])
    await world.store.write(renew_node, world.at(), MINUTE)
    device = await world.store.read(find_smart_terminal, world.now, terminal)
    assert (device.online, device.screen) == (True, "SWIPE_CARD")


async def test_connections_that_were_taken_over_are_found_without_a_hint(world: World) -> None:
    for terminal in world.terminals:
        await world.connect(terminal, f"c-{terminal}")
    held = {terminal: f"c-{terminal}" for terminal in world.terminals}
    assert await world.store.read(superseded_connections, world.node, held) == set()
    await world.store.write(connect_terminal, world.at(node="another"), world.terminals[0], "elsewhere", "IDLE")
    assert await world.store.read(superseded_connections, world.node, held) == {world.terminals[0]}


async def test_terminals_are_online_while_their_node_lives(world: World) -> None:
    async def online() -> bool:
        return (await world.store.read(find_smart_terminal, world.now, world.terminals[0])).online

    assert not await online()
    await world.store.write(renew_node, world.at(), MINUTE)
    await world.connect()
    assert await online()
    world.now += MINUTE
    assert not await online()
    await world.store.write(renew_node, world.at(), MINUTE)
    assert await online()
    await world.store.write(retire_node, world.at())
    assert not await online()
    seen = (await world.store.read(find_smart_terminal, world.now + 5, world.terminals[0])).last_seen
    assert seen == world.now


async def test_a_lost_node_is_forgotten_but_never_by_itself(world: World) -> None:
    await world.store.write(renew_node, world.at(), SECOND)
    await world.connect()
    world.now += MINUTE
    assert await world.store.write(retire_lost_nodes, world.at(), SECOND) == 0
    assert await world.store.write(retire_lost_nodes, world.at(node="another"), SECOND) == 1
    assert await world.store.read(node_connections, world.node) == []


async def test_what_hints_missed_is_found(world: World) -> None:
    requests = [await world.start(terminal) for terminal in world.terminals]
    assert {found.request_id for found in await world.store.read(waiting_requests, world.now)} == set(requests)
    await world.show(requests[0])
    assert [found.request_id for found in await world.store.read(waiting_requests, world.now)] == requests[1:]
    running = await world.store.read(running_requests, world.now, [*world.terminals, "no-such-terminal"])
    assert {found.request_id for found in running} == set(requests)
    assert await world.store.read(running_requests, world.now, []) == []
