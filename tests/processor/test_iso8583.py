"""The ISO 8583 processor against a host on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import gc
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from countertop.domain.intent import Action, Intent
from countertop.domain.response import AvsMode, CvvStatus
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.processors.iso8583 import HostAddress, Iso8583Processor, Patience
from countertop.gateway.processors.port import Processor, Unanswered, Unreachable
from countertop.testing.host import HostSimulator, Quirk, State

Ask = Callable[..., Intent]
_: type[Processor] = Iso8583Processor
PATIENT = Patience(connect_s=5, answer_s=5, echo_every_s=60, first_pause_s=0.01, longest_pause_s=0.05)
HASTY = dataclasses.replace(PATIENT, answer_s=0.2)


@asynccontextmanager
async def connected(
    host: HostSimulator, patience: Patience = PATIENT, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Iso8583Processor]:
    processor = Iso8583Processor(HostAddress("127.0.0.1", host.port, tls), patience)
    await processor.start()
    try:
        yield processor
    finally:
        await processor.stop()


async def test_a_charge_is_taken(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        decision = await processor.authorise(ask(12_34), card)
        assert (decision.code, decision.authorized, decision.approval_code) == ("00", True, "PJ20AP")
        assert host.book[1].state is State.TAKEN
        assert host.book[1].last_four == "1111", "the host opens the card"


async def test_a_hold_is_captured_once_and_for_less(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        intent = ask(20_00, hold=True)
        decision = await processor.authorise(intent, card)
        assert host.book[1].state is State.HELD
        for _ in range(2):
            await processor.capture(intent, decision.approval_code or "", 15_00)
        assert (host.book[1].state, host.book[1].amount) == (State.TAKEN, 15_00)


async def test_more_than_was_held_is_not_captured(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        intent = ask(20_00, hold=True)
        await processor.authorise(intent, card)
        with pytest.raises(Unanswered, match="did not agree"):
            await processor.capture(intent, "PJ20AP", 20_01)
        assert host.book[1].state is State.HELD


async def test_a_refund_gives(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        decision = await processor.authorise(ask(5_00, Action.REFUND), card)
        assert (decision.approved, decision.authorized) == (True, False)
        assert host.book[1].state is State.GIVEN


@pytest.mark.parametrize(("total", "code"), [(5, "05"), (8, "51"), (5_000_00, "05")])
async def test_a_decline(total: int, code: str, key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        decision = await processor.authorise(ask(total), card)
        assert (decision.code, decision.approved, decision.approval_code) == (code, False, None)
        assert not host.heard["0400"]


async def test_checks_go_there_and_findings_come_back(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        decision = await processor.authorise(ask(1_00, avs=AvsMode.BYPASS, address="addressNoMatch", cvv=True), card)
        assert decision.approved
        assert decision.avs is not None
        assert (decision.avs.zip_matches, decision.avs.address_matches, decision.cvv) == (True, False, CvvStatus.MATCH)


@pytest.mark.parametrize(("total", "address", "code"), [(1_00, "addressNoMatch", "AA"), (98, "", "10")])
async def test_money_held_for_what_is_declined_here_is_let_go(
    total: int, address: str, code: str, *, key: ECKey, card: SealedCard, ask: Ask
) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        decision = await processor.authorise(ask(total, avs=AvsMode.ADDRESS, address=address), card)
        assert (decision.code, decision.approved) == (code, False)
        assert host.book[1].state is State.REVERSED


async def test_a_card_sealed_to_another_key_is_declined(card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(ECKey.generate_key("P-256")) as host, connected(host) as processor:
        assert (await processor.authorise(ask(1_01), card)).code == "14"


async def test_the_same_intent_is_never_taken_twice(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        intent = ask(10_00)
        assert (await processor.authorise(intent, card)).approved
        assert not (await processor.authorise(intent, card)).approved


# Answers that do not come.


@pytest.mark.parametrize("quirk", [Quirk.SILENT, Quirk.LOST, Quirk.HANG_UP, Quirk.GARBLED, Quirk.OTHER_AMOUNT])
async def test_what_was_not_answered_is_reversed(quirk: Quirk, key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key, quirks={13_00: quirk}) as host, connected(host, HASTY) as processor:
        intent = ask(13_00)
        with pytest.raises(Unanswered):
            await processor.authorise(intent, card)
        await processor.reverse(intent)
        assert host.book[1].state is State.REVERSED
        assert (await processor.authorise(ask(14_00), card)).approved, "and life goes on"


async def test_a_reversal_is_said_until_it_is_heard(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key, deaf_to_reversals=2) as host, connected(host, HASTY) as processor:
        intent = ask(10_00)
        await processor.authorise(intent, card)
        await processor.reverse(intent)
        assert (host.heard["0400"], host.heard["0401"]) == (1, 2)
        assert host.book[1].state is State.REVERSED


async def test_a_reversal_that_nobody_hears_ends_as_unanswered(key: ECKey, ask: Ask) -> None:
    async with HostSimulator(key, deaf_to_reversals=99) as host, connected(host, HASTY) as processor:
        with pytest.raises(Unanswered):
            await processor.reverse(ask(10_00))
        assert host.heard["0400"] + host.heard["0401"] == HASTY.attempts


async def test_a_reversal_may_overtake_what_it_reverses(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        intent = ask(10_00)
        await processor.reverse(intent)
        assert not (await processor.authorise(intent, card)).approved
        assert host.book[1].state is State.REVERSED


async def test_an_answer_after_the_time_out_changes_nothing(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key, quirks={13_00: Quirk.LATE}) as host, connected(host, HASTY) as processor:
        intent = ask(13_00)
        with pytest.raises(Unanswered):
            await processor.authorise(intent, card)
        host.release_late()
        await processor.reverse(intent)
        assert host.book[1].state is State.REVERSED
        assert (await processor.authorise(ask(14_00), card)).approved


async def test_answers_in_any_order_find_their_questions(key: ECKey, card: SealedCard, ask: Ask) -> None:
    totals = [10_00 + i for i in range(50)]
    late = dict.fromkeys(totals[::2], Quirk.LATE)
    async with HostSimulator(key, quirks=late) as host, connected(host) as processor:
        intents = [ask(total) if total % 3 else ask(total, hold=True) for total in totals]
        answers = asyncio.gather(*(processor.authorise(intent, card) for intent in intents))
        await host.until_heard("0200", sum(1 for intent in intents if not intent.hold))
        await host.until_heard("0100", sum(1 for intent in intents if intent.hold))
        host.release_late()
        assert all(decision.approved for decision in await answers)
        assert [host.book[intent.number].amount for intent in intents] == totals


async def test_the_same_question_is_not_asked_twice_at_a_time(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key, quirks={13_00: Quirk.LATE}) as host, connected(host) as processor:
        intent = ask(13_00)
        first = asyncio.ensure_future(processor.authorise(intent, card))
        await host.until_heard("0200")
        with pytest.raises(Unanswered, match="already"):
            await processor.authorise(intent, card)
        host.release_late()
        assert (await first).approved


# The connection.


async def test_sign_on_echo_and_sign_off(key: ECKey) -> None:
    async with HostSimulator(key) as host:
        async with connected(host, dataclasses.replace(PATIENT, echo_every_s=0.01)) as processor:
            await host.until_heard("0800 301", times=2)
            assert processor.online
            assert host.heard["0800 001"] == 1
        await host.until_heard("0800 002")
        assert not processor.online


async def test_a_host_may_ask_for_an_echo_too(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        await processor.authorise(ask(1_01), card)
        host.ask_echo()
        await host.until_heard("0810")


async def test_a_broken_connection_is_made_anew(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host, connected(host) as processor:
        assert (await processor.authorise(ask(10_00), card)).approved
        for round_ in range(2, 5):
            host.cut()
            await host.until_heard("0800 001", times=round_)
            assert (await processor.authorise(ask(10_00), card)).approved


async def test_a_reversal_outlives_the_connection_and_the_host(key: ECKey, card: SealedCard, ask: Ask) -> None:
    patience = dataclasses.replace(PATIENT, attempts=50)
    async with HostSimulator(key, deaf_to_reversals=1) as host, connected(host, patience) as processor:
        intent = ask(10_00)
        await processor.authorise(intent, card)
        reversing = asyncio.ensure_future(processor.reverse(intent))
        await host.until_heard("0400")
        await host.leave()
        await host.listen()
        await reversing
        assert host.heard["0401"] >= 1


@pytest.mark.parametrize("turns", range(6))
async def test_who_comes_as_the_host_leaves_is_let_go(turns: int, key: ECKey) -> None:
    """Turns of the event loop lie between listening, accepting, and serving who was accepted."""
    async with HostSimulator(key) as host:
        latecomer = socket.create_connection(("127.0.0.1", host.port), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
    for _ in range(3):  # who was accepted has yet to be let go
        await asyncio.sleep(0)
    with latecomer:
        gc.collect()  # a connection that was left open would say so now
        with contextlib.suppress(ConnectionResetError):
            assert latecomer.recv(1) == b""


async def test_open_questions_end_when_the_processor_is_stopped(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key, quirks={13_00: Quirk.SILENT}) as host:
        async with connected(host) as processor:
            asking = asyncio.ensure_future(processor.authorise(ask(13_00), card))
            await host.until_heard("0200")
        with pytest.raises(Unanswered):
            await asking


async def test_without_a_host_nothing_is_asked(key: ECKey, card: SealedCard, ask: Ask) -> None:
    async with HostSimulator(key) as host:
        pass
    async with connected(host, dataclasses.replace(PATIENT, connect_s=0.2)) as processor:
        with pytest.raises(Unreachable):
            await processor.authorise(ask(10_00), card)
        assert not processor.online
        await host.listen()
        await host.until_heard("0800 001")
        await processor.reverse(ask(10_00))
        await host.leave()


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key in one file, signed by itself."""
    private = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a host")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    path.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_over_tls(certificate: Path, key: ECKey, card: SealedCard, ask: Ask) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with HostSimulator(key, tls=server_context(certificate)) as host, connected(host, tls=trusting) as processor:
        assert (await processor.authorise(ask(10_00), card)).approved
        host.cut()
        await host.until_heard("0800 001", times=2)
        assert (await processor.authorise(ask(10_00), card)).approved


async def test_a_host_whose_certificate_is_not_trusted_is_asked_nothing(
    certificate: Path, key: ECKey, card: SealedCard, ask: Ask
) -> None:
    hasty = dataclasses.replace(PATIENT, connect_s=0.05)
    strict = ssl.create_default_context()
    async with HostSimulator(key, tls=server_context(certificate)) as host, connected(host, hasty, strict) as processor:
        with pytest.raises(Unreachable):
            await processor.authorise(ask(10_00), card)
        assert not host.heard
