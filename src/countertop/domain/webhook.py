"""The rules of webhooks: where they may go, how they are signed, when they are tried again.

Two signatures ride on a delivery, both made with the subscription's one secret:

* `X-Pj-Signature`: HMAC-SHA256 of the body, 64 lower-case hex digits, keyed with the secret's UTF-8 bytes;
* `webhook-signature` of Standard Webhooks (https://www.standardwebhooks.com): `v1,` and the Base64 of HMAC-SHA256 over
  `{webhook-id}.{webhook-timestamp}.{body}`. It wants key bytes, where a merchant gives us text. Which bytes: see `standard_key`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from countertop.domain.clock import DAY, HOUR, MINUTE, SECOND, Instant
from countertop.domain.value import value

MAX_URL: Final = 255
MAX_SECRET: Final = 255
MAX_SUBSCRIPTIONS: Final = 10
"""Subscriptions that one merchant may have."""
KEEP_ANSWER: Final = 1024
"""How much of an answer's body is kept, in bytes."""
GIVE_UP_AFTER: Final = 3 * DAY

# Trying


@value
class Attempt:
    """One try to deliver.

    `started` is an instant, `duration` milliseconds. `status` is the answer's HTTP status, None if no answer came; then `failure`
    says why in a few words, fit for an operator. `answer` is the beginning of the answer's body, at most `KEEP_ANSWER` bytes.
    """

    started: Instant
    duration: int
    status: int | None
    failure: str | None = None
    answer: bytes = field(default=b"", repr=False)

    @property
    def acknowledged(self) -> bool:
        """Whether the endpoint has taken the delivery: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


def next_attempt(attempts_made: int, first_created: Instant, now: Instant) -> Instant | None:
    """When to try again after `attempts_made` failed attempts, the last of which ended `now`; None: give up.

    Attempts 2–5 follow after 30 seconds each, 6–10 after 5 minutes each, later ones hourly; an event is dropped once it would be
    more than 3 days old.
    """
    if attempts_made < 5:
        delay = 30 * SECOND
    elif attempts_made < 10:
        delay = 5 * MINUTE
    else:
        delay = HOUR
    due = now + delay
    return due if due <= first_created + GIVE_UP_AFTER else None


# Signing


def sign(secret: str, body: bytes) -> str:
    """The value of `X-Pj-Signature`."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def standard_key(secret: str) -> bytes:
    """The Standard Webhooks key that a secret stands for.

    A secret in the standard's own form, `whsec_` and Base64 (padding may be missing), stands for the bytes it encodes, so such a
    secret works in every verifier as it is. Any other text stands for its UTF-8 bytes; a verifier takes those as
    `Webhook(secret.encode())` or, where it only accepts the standard form, as `"whsec_" + base64(secret)`.
    The prefix alone decides: text that merely happens to be Base64 is not decoded.
    """
    form = "whsec_"
    if secret.startswith(form):
        encoded = secret.removeprefix(form).rstrip("=")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if key:
            return key
    return secret.encode()


def sign_standard(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; `timestamp` is the value of `webhook-timestamp`, in seconds since 1970."""
    digest = hmac.digest(key, b"%b.%d.%b" % (event_id.encode(), timestamp, body), "sha256")
    return "v1," + binascii.b2a_base64(digest, newline=False).decode()


class Signer:
    """Makes both signatures for one secret.

    Signs as `sign` and `sign_standard` do, in a third of the time: what HMAC does with its key (RFC 2104: hash it padded, once
    for the inside, once for the outside) is done only once.
    """

    __slots__ = ("_standard", "_vendor")

    def __init__(self, secret: str) -> None:
        self._vendor = _Keyed(secret.encode())
        self._standard = _Keyed(standard_key(secret))

    def sign(self, body: bytes) -> str:
        """The value of `X-Pj-Signature`."""
        return self._vendor.digest(body).hex()

    def sign_standard(self, event_id: str, timestamp: int, body: bytes) -> str:
        """The value of `webhook-signature`."""
        digest = self._standard.digest(b"%b.%d.%b" % (event_id.encode(), timestamp, body))
        return "v1," + binascii.b2a_base64(digest, newline=False).decode()


class _Keyed:
    """HMAC-SHA256 with one key."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


# Where to

_NOT_PUBLIC_4: Final = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, reachable only from its own machines
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_UNICAST_6: Final = ip_network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    ip_network(block)
    for block in (
        "2001::/23",  # protocol assignments, among them Teredo, which wraps an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps an IPv4 address
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ip_network("64:ff9b::/96")

_SPOKEN: Final = re.compile(r"[!-~]+")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_public_address(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet, so that sending to it cannot reach into anybody's own network.

    Refused is what the IANA's special-purpose registries list. An address that wraps another (IPv4-mapped, 6to4, Teredo) is
    refused whatever it wraps, except NAT64's: behind it an IPv6-only host sees the whole IPv4 internet, so the inner one counts.
    Raises ValueError if `address` is no IP address.
    """
    if isinstance(address, str):
        address = ip_address(address)
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_4)
    if address in _NAT64:
        return is_public_address(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_UNICAST_6 and not any(address in block for block in _NOT_PUBLIC_6)


def url_fault(url: str, *, loopback: bool) -> str | None:
    """What is wrong with a webhook's URL, in words for the caller; None if nothing is.

    `loopback` (a test server) lets URLs on the loopback interface through, with HTTP and any port. A URL that passes names a host
    that *may* be public: what its name resolves to is the sender's to check (`gateway.delivery.guard`).
    """
    if len(url) > MAX_URL:
        return f"The URL is longer than {MAX_URL} characters."
    # Browsers, libraries and resolvers read blanks, backslashes and letters beyond ASCII each in their own way.
    if not _SPOKEN.fullmatch(url) or "\\" in url:
        return "The URL holds characters that must be percent-encoded, or a host that must be written in its xn-- form."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "The URL cannot be understood."
    # Brackets hold an IPv6 address; the form kept for those of the future (`v1.…`) would look like a name.
    if parts.scheme not in ("http", "https") or not parts.hostname or ("[" in parts.netloc and ":" not in parts.hostname):
        return "The URL must begin with https:// and a host."
    if loopback and port != 0 and _is_loopback(parts.hostname):
        return _extras_fault(url, parts)
    return _extras_fault(url, parts) or _transport_fault(parts) or _host_fault(parts.hostname)


def _extras_fault(url: str, parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "The URL must not contain a user name or password."
    if "#" in url:
        return "The URL must not contain a fragment."
    return None


def _transport_fault(parts: SplitResult) -> str | None:
    if parts.scheme != "https":
        return "The URL must use HTTPS."
    if parts.netloc.rpartition("]")[2].count(":"):
        return "The URL must not contain a port."
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host_fault(host: str) -> str | None:
    not_a_host = "The host is neither a name nor an address in its usual form."
    try:
        address = ip_address(host)
    except ValueError:
        pass
    else:
        if "%" in host:
            return not_a_host
        return None if is_public_address(address) else "The host is not a public address."
    labels = host.split(".")
    # A name whose last label is a number is how resolvers spell addresses (0x7f.1, 2130706433, 127.1, 0177.0.0.1).
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMERIC.fullmatch(labels[-1]):
        return not_a_host
    if labels[-1] == "localhost":
        return "The host is not a public address."
    return None
