"""Who calls: the application key, then the login, then the release, then how often.

A login that was verified is remembered for a minute under a keyed hash of the headers it came in, so that argon2 is paid once and
no password stays in memory; one that was wrong is remembered the same way, so that a client that repeats itself costs nothing.
After that minute argon2 is paid again only if the login's hash in the store is another one: who is known gets in however many
guesses at the same login wait to be verified.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, TypeVar

from countertop.domain.clock import DAY, MINUTE, SECOND, Instant
from countertop.domain.errors import Fault, Invalid, NotReadable
from countertop.domain.releases import Release, release_at
from countertop.gateway.bucket import Bucket
from countertop.gateway.http.call import Fields
from countertop.gateway.http.error import WRONG_KEY, WRONG_LOGIN, Problem, failure, retry_after
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.operations.access import ApplicationKey, Caller, Login, find_application_key, find_login
from countertop.gateway.password import TooManyLogins

REMEMBERED: Final = MINUTE
KNOWN: Final = DAY
"""How long it is remembered which hash a login's headers were verified against."""
_MOST_REMEMBERED: Final = 10_000
_MOST_BUCKETS: Final = 100_000

T = TypeVar("T")


@dataclass(slots=True)
class Admission:
    """A verified login: as whom it acts in each release, and how much it may ask."""

    key: ApplicationKey
    login_id: str
    bucket: Bucket
    callers: dict[Release, Caller] = field(default_factory=dict)

    def caller(self, release: Release) -> Caller:
        """The caller in a release."""
        found = self.callers.get(release)
        if found is None:
            found = self.callers[release] = Caller(self.key.merchant_id, self.login_id, release)
        return found


class Access:
    """Lets callers in, or ends their request with 401, 400 or 429."""

    def __init__(self, parts: ApiParts) -> None:
        self._store = parts.store
        self._clock = parts.clock
        self._marker = hashlib.blake2b(digest_size=16, key=parts.random(32))
        self._passwords = parts.passwords
        self._rate = parts.rate
        self._burst = parts.burst
        self._admissions: _Memory[Admission] = _Memory()
        self._known: _Memory[str] = _Memory()
        self._keys: _Memory[ApplicationKey] = _Memory()
        self._wrong: _Memory[bool] = _Memory()
        self._checks: dict[bytes, asyncio.Task[Admission]] = {}
        self._buckets: dict[str, Bucket] = {}

    def admit(self, headers: Fields) -> Caller | Awaitable[Caller]:
        """The caller whom a request's headers name: at once if the login was verified a moment ago."""
        now = self._clock.now()
        mark = headers.mark
        if mark is None:
            mark = headers.mark = self._mark(headers)
        admission = self._admissions.get(mark, now)
        if admission is None:
            return self._admit_new(mark, headers, now)
        return self._let_in(admission, headers, now)

    def _mark(self, headers: Fields) -> bytes:
        marker = self._marker.copy()
        marker.update(headers.get(b"authorization", b"") + b"\n" + headers.get(b"x-pj-application-key", b""))
        return marker.digest()

    async def _admit_new(self, mark: bytes, headers: Fields, now: Instant) -> Caller:
        return self._let_in(await self._verified(mark, headers, now), headers, now)

    def _let_in(self, admission: Admission, headers: Fields, now: Instant) -> Caller:
        version = headers.get(b"pj-version")
        release = admission.key.release if version is None else _release(version)
        wait = admission.bucket.take(now)
        if wait:
            raise Problem(failure(429, f"More than {self._rate:g} requests a second.", retry_after(wait)))
        return admission.caller(release)

    async def _verified(self, mark: bytes, headers: Fields, now: Instant) -> Admission:
        key = await self._application_key(headers.get(b"x-pj-application-key"), now)
        if self._wrong.get(mark, now):
            raise Problem(WRONG_LOGIN)
        # Many requests of one caller may find the memory of it gone at once; one verification does for all.
        check = self._checks.get(mark)
        if check is None:
            check = self._checks[mark] = asyncio.create_task(self._verify(mark, key, headers.get(b"authorization", b"")))
            check.add_done_callback(lambda done: self._checked(mark, done))
        return await asyncio.shield(check)

    def _checked(self, mark: bytes, check: asyncio.Task[Admission]) -> None:
        del self._checks[mark]
        if not check.cancelled():
            check.exception()  # whoever waited has it; if nobody waits any more, nobody need know

    async def _application_key(self, key: bytes | None, now: Instant) -> ApplicationKey:
        if not key or len(key) > 128:
            raise Problem(WRONG_KEY)
        key_hash = hashlib.sha256(key).digest()
        found = self._keys.get(key_hash, now)
        if found is None:
            found = await self._store.peek(find_application_key, key_hash)
            if found is None:
                raise Problem(WRONG_KEY)
            self._keys.put(key_hash, found, now + REMEMBERED)
        return found

    async def _verify(self, mark: bytes, key: ApplicationKey, authorization: bytes) -> Admission:
        credentials = _credentials(authorization)
        if credentials is None:
            raise Problem(WRONG_LOGIN)
        name, password = credentials
        login = await self._store.peek(find_login, name)
        right = await self._is_right(mark, login, password)
        now = self._clock.now()
        if login is None or not right:
            self._wrong.put(mark, True, now + REMEMBERED)
            raise Problem(WRONG_LOGIN)
        if login.merchant_id != key.merchant_id:
            raise Problem(WRONG_KEY)
        admission = Admission(key, login.id, self._bucket(login.id, now))
        self._admissions.put(mark, admission, now + REMEMBERED)
        self._known.put(mark, login.password_hash, now + KNOWN)
        return admission

    async def _is_right(self, mark: bytes, login: Login | None, password: str) -> bool:
        if login is not None and login.password_hash == self._known.get(mark, self._clock.now()):
            return True
        try:
            if login is None:
                return await self._passwords.verify(None, None, password)
            return await self._passwords.verify(login.id, login.password_hash, password)
        except TooManyLogins:
            raise Problem(failure(429, "Too many logins wait to be verified.", retry_after(1000))) from None

    def _bucket(self, login_id: str, now: Instant) -> Bucket:
        """One bucket a login, whatever keys it uses and however often it is verified."""
        bucket = self._buckets.get(login_id)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[login_id] = Bucket(self._rate / SECOND, self._burst, now)
        return bucket


class _Memory(Generic[T]):
    """What is remembered until an instant, and not more than so much of it: the oldest goes first."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[T, Instant]] = {}

    def get(self, mark: bytes, now: Instant) -> T | None:
        found = self._kept.get(mark)
        if found is None:
            return None
        if now >= found[1]:
            del self._kept[mark]
            return None
        return found[0]

    def put(self, mark: bytes, value: T, until: Instant) -> None:
        self._kept.pop(mark, None)
        if len(self._kept) >= _MOST_REMEMBERED:
            del self._kept[next(iter(self._kept))]
        self._kept[mark] = (value, until)


def _credentials(authorization: bytes) -> tuple[str, str] | None:
    """Login and password of a Basic `Authorization` header; None if it is not one."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic" or len(encoded) > 2048:
        return None
    try:
        login, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    # PostgreSQL's text has no NUL; no login has one either.
    return (login, password) if colon and "\0" not in login else None


@lru_cache(maxsize=64)
def _release(version: bytes) -> Release:
    try:
        return release_at(version.decode("ascii", "replace"))
    except NotReadable:
        raise Invalid([Fault("PJ-Version", "invalid", "PJ-Version is invalid: write a date as YYYY-MM-DD.")]) from None
