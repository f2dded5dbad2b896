"""Statements on merchants, and on what opens their doors: logins and application keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, insert, select, update

from countertop.domain.clock import Instant
from countertop.domain.releases import Release
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

merchant = table.merchant.c
_login = table.login.c
_key = table.application_key.c


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who owns logins, accounts, terminals and webhooks."""

    id: str
    name: str
    created: Instant


@dataclass(frozen=True, slots=True)
class Login:
    """A login with its password's argon2id hash."""

    id: str
    merchant_id: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationKey:
    """What an application key stands for: a merchant, and the release the key is pinned to."""

    merchant_id: str
    release: Release


FIND_KEY: Final = Query(select(_key.merchant_id, _key.release).where(_key.key_hash == bindparam("key_hash")), ApplicationKey)
FIND_LOGIN: Final = Query(
    select(_login.id, _login.merchant_id, _login.password_hash).where(_login.login == bindparam("login")), Login
)
FIND: Final = Query(select(merchant.id, merchant.name, merchant.created).where(merchant.id == bindparam("merchant_id")), Merchant)
FIND_BY_NAME: Final = Query(
    select(merchant.id, merchant.name, merchant.created).where(merchant.name == bindparam("name")), Merchant
)

INSERT: Final = Command(insert(table.merchant))
INSERT_LOGIN: Final = Command(insert(table.login))
INSERT_KEY: Final = Command(insert(table.application_key))
CHANGE_LOGIN: Final = Command(
    update(table.login).where(_login.id == bindparam("login_id")).values(password_hash=bindparam("password_hash"))
)
CHANGE_KEY: Final = Command(
    update(table.application_key).where(_key.key_hash == bindparam("hash")).values(release=bindparam("release"))
)
