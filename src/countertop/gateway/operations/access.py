"""Who is calling."""

from __future__ import annotations

from countertop.domain.releases import Release
from countertop.domain.value import value
from countertop.gateway.store import merchant
from countertop.gateway.store.merchant import ApplicationKey, Login
from countertop.gateway.store.unit import Unit

__all__ = ["ApplicationKey", "Caller", "Login", "find_application_key", "find_login"]


@value
class Caller:
    """Whoever gave an order: a merchant's login, speaking a release of the API."""

    merchant_id: str
    login_id: str
    release: Release


def find_application_key(unit: Unit, key_hash: bytes) -> ApplicationKey | None:
    """What the application key with this SHA-256 stands for; None if there is none."""
    return unit.one(merchant.FIND_KEY, key_hash=key_hash)


def find_login(unit: Unit, login: str) -> Login | None:
    """The login of this name, with its password's hash; None if there is none."""
    # PostgreSQL has no word for a text with a NUL in it; nobody is called that.
    return None if "\0" in login else unit.one(merchant.FIND_LOGIN, login=login)
