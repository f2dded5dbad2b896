"""Passwords: hashed with argon2id, verified beside the event loop.

One verification costs a core some 20 ms and memory of 19 MiB, on purpose. So at most a few run at a time, on threads that give
way to the rest of the process, and at most a few dozen wait: a flood of wrong passwords slows down nobody who is known already.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from countertop.domain.errors import CountertopError

MOST_WAITING: Final = 64
"""Verifications that may wait or run at a time."""
MOST_WAITING_EACH: Final = 4
"""The same for one login, so that a flood against one does not keep out the others. Unknown logins count as one."""
_NICENESS: Final = 10

# OWASP's recommendation for argon2id. One lane: a verification uses one core, not four.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_NOBODY: Final = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"
"""The form of a hash that no password is known to have: unknown logins are verified against it, at the same cost."""


class TooManyLogins(CountertopError):
    """More passwords wait to be verified than may wait."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, in PHC form. Takes some 20 ms."""
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether a password is the one that was hashed. Takes some 20 ms either way."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


class PasswordCheck:
    """Verifies passwords on threads of its own. Belongs to one event loop."""

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, "password", initializer=_give_way)
        self._waiting: dict[str | None, int] = {}
        self._all = 0

    async def verify(self, login_id: str | None, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the login.

        For an unknown login (both None) it takes as long and is always false, so that nobody can find out by time which logins
        exist. Raises TooManyLogins if too many wait.
        """
        count = self._waiting.get(login_id, 0)
        if count >= MOST_WAITING_EACH or self._all >= MOST_WAITING:
            raise TooManyLogins("too many passwords wait to be verified")
        self._waiting[login_id] = count + 1
        self._all += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(self._pool, matches, password_hash or _NOBODY, password)
        finally:
            self._all -= 1
            self._waiting[login_id] -= 1
            if not self._waiting[login_id]:
                del self._waiting[login_id]
        return right and password_hash is not None

    def close(self) -> None:
        """Lets go of the threads; what waits is not verified any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _give_way() -> None:
    # On Linux a thread has a niceness of its own; elsewhere it would be the whole process's.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
