"""Deliveries reach nobody's own network, whatever names and answers say."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from countertop.domain.webhook import Attempt
from countertop.gateway.delivery.guard import Guard, SystemNames
from countertop.gateway.delivery.sender import Patience, Sender
from countertop.testing.catcher import Reply, catch, redirect
from tests.delivery.conftest import delivery_to

NOW = 1_800_000_000_000
REFUSED = "the host's address is not public"


def names(*answers: list[str]) -> Callable[[str], Awaitable[list[str]]]:
    """A resolver that gives one answer after the other, then the last for ever."""
    left = list(answers)

    async def resolve(_name: str) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def send(guard: Guard, url: str, patience: Patience | None = None) -> Attempt:
    async with Sender(guard, patience=patience or Patience(2, 5)) as sender:
        return await sender.send(delivery_to(url), NOW)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "fd00::1", "::"],
)
async def test_a_name_that_means_a_private_address_is_not_connected_to(address: str) -> None:
    async with catch() as inside:
        attempt = await send(Guard(loopback=False, resolve=names([address])), f"http://inside.example:{port_of(inside.url)}/")
        assert (attempt.status, attempt.failure) == (None, REFUSED)
        assert inside.caught == []


async def test_a_literal_private_address_is_not_connected_to() -> None:
    async with catch() as inside:
        assert (await send(Guard(loopback=False), inside.url)).failure == REFUSED
        assert inside.caught == []


async def test_a_test_server_sends_to_the_loopback_interface_and_no_further_inside() -> None:
    async with catch() as catcher:
        assert (await send(Guard(loopback=True), catcher.url)).acknowledged
    assert (await send(Guard(loopback=True), "https://10.0.0.1/")).failure == REFUSED
    assert (await send(Guard(loopback=True), "https://[::ffff:127.0.0.1]/")).failure == REFUSED


async def test_a_name_that_changes_its_meaning_between_looks_gains_nothing() -> None:
    rebinding = names(["93.184.216.34"], ["127.0.0.1"])
    guard = Guard(loopback=False, resolve=rebinding)
    async with catch() as inside:
        assert await guard.fault("https://rebinding.example/") is None
        attempt = await send(guard, f"http://rebinding.example:{port_of(inside.url)}/")
        assert attempt.failure == REFUSED
        assert inside.caught == []


async def test_each_new_connection_is_judged_anew() -> None:
    async with catch() as catcher:
        catcher.reply = Reply(headers={"Connection": "close"})
        url = f"http://wandering.example:{port_of(catcher.url)}/"
        async with Sender(Guard(loopback=True, resolve=names(["127.0.0.1"], ["10.0.0.1"]))) as first:
            assert (await first.send(delivery_to(url), NOW)).acknowledged
        async with Sender(Guard(loopback=False, resolve=names(["127.0.0.1"]))) as second:
            assert (await second.send(delivery_to(url), NOW)).failure == REFUSED


async def test_of_several_addresses_only_public_ones_are_tried() -> None:
    async with catch() as inside:
        guard = Guard(loopback=False, resolve=names(["10.1.2.3", "127.0.0.1", "::1"]))
        attempt = await send(guard, f"http://mixed.example:{port_of(inside.url)}/")
        assert attempt.status is None
        assert inside.caught == []


async def test_a_redirect_inside_is_not_followed() -> None:
    async with catch() as inside, catch() as outside:
        outside.reply = redirect(inside.url, 307)
        attempt = await send(Guard(loopback=True), outside.url)
        assert (attempt.status, attempt.acknowledged) == (307, False)
        assert inside.caught == []


async def test_a_name_without_an_address_and_a_silent_name_have_plain_names() -> None:
    async def nothing(_name: str) -> list[str]:
        raise OSError("no such name")

    async def silence(_name: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    assert (
        await send(Guard(loopback=False, resolve=nothing), "https://nowhere.example/")
    ).failure == "the host's name has no address"
    late = await send(Guard(loopback=False, resolve=silence), "https://silent.example/", Patience(0.05, 5))
    assert late.failure == "no connection within 0.05 s"


@pytest.mark.parametrize(
    ("url", "addresses", "good"),
    [
        ("https://example.com/", ["93.184.216.34"], True),
        ("https://example.com/", ["93.184.216.34", "10.0.0.1"], False),
        ("https://example.com/", ["127.0.0.1"], False),
        ("https://example.com:8443/", ["93.184.216.34"], False),
        ("http://127.0.0.1:9000/", ["127.0.0.1"], False),
    ],
)
async def test_a_url_is_judged_when_it_is_saved(url: str, addresses: list[str], good: bool) -> None:
    assert (await Guard(loopback=False, resolve=names(addresses)).fault(url) is None) is good


async def test_a_test_server_saves_loopback_urls_and_a_name_that_is_not_there_yet() -> None:
    async def nothing(_name: str) -> list[str]:
        raise OSError("no such name")

    assert await Guard(loopback=True, resolve=names(["127.0.0.1"])).fault("http://localhost:9000/hook") is None
    assert await Guard(loopback=False, resolve=nothing).fault("https://soon.example/") is None


async def test_the_systems_names() -> None:
    assert set(await SystemNames().resolve("localhost")) <= {"127.0.0.1", "::1"}
    for name in ("a" * 70 + ".example", "", "xn--\x00"):
        with pytest.raises(OSError):  # noqa: PT011 - which one is the system's affair
            await asyncio.wait_for(SystemNames().resolve(name or "nothing.invalid"), 10)


def certificate(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate with its key, and a server's TLS context that uses it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


async def test_certificates_are_checked_against_the_name_that_was_asked_for(tmp_path: Path) -> None:
    file, context = certificate(tmp_path, "hooks.example")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    guard = Guard(loopback=True, resolve=names(["127.0.0.1"]))
    port = server.sockets[0].getsockname()[1]
    async with server:
        async with Sender(guard, tls=ssl.create_default_context(cafile=str(file))) as sender:
            assert (await sender.send(delivery_to(f"https://hooks.example:{port}/"), NOW)).acknowledged
            other = await sender.send(delivery_to(f"https://other.example:{port}/"), NOW)
            assert other.failure == "the host's certificate is not valid for it"
        strangers = await send(guard, f"https://hooks.example:{port}/")
        assert strangers.failure == "the host's certificate is not valid for it"
