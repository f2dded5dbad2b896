"""Signatures, the retry schedule and the rules for URLs."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from countertop.domain.clock import DAY, HOUR, MINUTE, SECOND
from countertop.domain.webhook import (
    Attempt,
    Signer,
    is_public_address,
    next_attempt,
    sign,
    sign_standard,
    standard_key,
    url_fault,
)

CREATED = 1_800_000_000_000


def test_the_vendors_signature_is_the_bodys_hmac_in_lower_case_hex() -> None:
    # RFC 4231, test case 2
    assert sign("Jefe", b"what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(
    ("secret", "verifier"),
    [
        ("a plain secret", Webhook(b"a plain secret")),
        ("a plain secret", Webhook("whsec_" + base64.b64encode(b"a plain secret").decode())),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        ("whsec_YWJjZA", Webhook("whsec_YWJjZA")),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Webhook(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        ("whsec_not base64!", Webhook(b"whsec_not base64!")),
        ("whsec_", Webhook(b"whsec_")),
        ("ключ", Webhook("ключ".encode())),
    ],
)
def test_the_standard_signature_satisfies_the_standards_own_library(secret: str, verifier: Webhook) -> None:
    body, now = b'{\n  "id" : "caf\xc3\xa9"\n}', int(time.time())
    headers = {
        "webhook-id": "evt",
        "webhook-timestamp": str(now),
        "webhook-signature": sign_standard(standard_key(secret), "evt", now, body),
    }
    assert verifier.verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body + b" ", headers)


@given(st.text(min_size=1, max_size=255).filter(lambda text: text.isprintable()), st.binary(max_size=200))
def test_every_secret_gives_a_key_and_signs(secret: str, noise: bytes) -> None:
    body = base64.b64encode(noise)
    key = standard_key(secret)
    assert key
    moment = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    assert sign_standard(key, "id", int(moment.timestamp()), body) == Webhook(key).sign("id", moment, body.decode())


@given(st.text(min_size=1, max_size=255).filter(lambda text: text.isprintable()), st.binary(max_size=200))
def test_a_signer_signs_as_the_plain_functions_do(secret: str, body: bytes) -> None:
    signer = Signer(secret)
    for _ in range(2):
        assert signer.sign(body) == sign(secret, body)
        assert signer.sign_standard("id", 1_800_000_000, body) == sign_standard(standard_key(secret), "id", 1_800_000_000, body)


def test_retries_keep_the_documented_intervals() -> None:
    delays = {made: (next_attempt(made, CREATED, CREATED) or 0) - CREATED for made in range(1, 15)}
    assert [delays[made] for made in range(1, 5)] == [30 * SECOND] * 4
    assert [delays[made] for made in range(5, 10)] == [5 * MINUTE] * 5
    assert [delays[made] for made in range(10, 15)] == [HOUR] * 5


def test_an_event_is_given_up_after_three_days() -> None:
    now, attempts = CREATED, 0
    while True:
        attempts += 1
        due = next_attempt(attempts, CREATED, now)
        if due is None:
            break
        assert now < due <= CREATED + 3 * DAY
        now = due
    assert now > CREATED + 3 * DAY - HOUR
    assert attempts == 81


@pytest.mark.parametrize(("status", "taken"), [(None, False), (199, False), (200, True), (204, True), (299, True), (302, False)])
def test_any_2xx_is_an_acknowledgement(status: int | None, taken: bool) -> None:
    assert Attempt(CREATED, 3, status).acknowledged is taken


GOOD = [
    "https://example.com/hook",
    "https://EXAMPLE.com",
    "https://example.com/?token=1&b=%20",
    "https://xn--bcher-kva.example/hook",
    "https://a_b.example.com/",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]/hook",
    "https://1.example.com/",
    "https://0x7f.example/",
]

BAD = [
    "",
    "example.com/hook",
    "http://example.com/hook",
    "ftp://example.com/",
    "https:example.com",
    "https:///hook",
    "https://example.com:443/",
    "https://example.com:8443/",
    "https://example.com:/",
    "https://example.com:99999999/",
    "https://[2606:4700::1111]:443/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com/#part",
    "https://example.com/#",
    "https://example.com/" + "a" * 236,
    "https://exam ple.com/",
    "https://example.com/\n",
    " https://example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://bücher.example/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://foo.localhost/",
    "https://localhost./",
    "https://example.com./",
    "https://example..com/",
    "https://-example.com/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://0177.0.0.1/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0x/",
    "https://2130706433/",
    "https://017700000001/",
    "https://8.8.8.08/",
    "https://8.8.2056/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[2606:4700::1111%25eth0]/",
    "https://[fd00::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[v1.fe80]/",
    "https://[::1",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_on_the_public_internet_is_taken_by_both_servers(url: str) -> None:
    assert url_fault(url, loopback=False) is None
    assert url_fault(url, loopback=True) is None


@pytest.mark.parametrize("url", BAD)
def test_a_url_that_could_reach_inside_or_be_misread_is_refused(url: str) -> None:
    assert url_fault(url, loopback=False)


LOOPBACK = ["http://127.0.0.1:9000/hook", "http://localhost:1", "http://[::1]:65535/x", "https://127.9.9.9/", "http://localhost"]


@pytest.mark.parametrize("url", LOOPBACK)
def test_only_a_test_server_sends_to_the_loopback_interface(url: str) -> None:
    assert url_fault(url, loopback=True) is None
    assert url_fault(url, loopback=False)


@pytest.mark.parametrize(
    "url", sorted(set(BAD) - {"https://localhost/", "https://LOCALHOST/", "https://127.0.0.1/", "https://[::1]/"})
)
def test_a_test_server_is_no_laxer_elsewhere(url: str) -> None:
    assert url_fault(url, loopback=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://u@127.0.0.1/", "ftp://127.0.0.1/"])
def test_loopback_urls_have_rules_too(url: str) -> None:
    assert url_fault(url, loopback=True)


@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text: str) -> None:
    for prefix in ("", "https://", "http://[", "https://127.0.0.1"):
        url_fault(prefix + text, loopback=True)


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_knows_to_be_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public_address(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public_address(address)
