"""A terminal in the vendor's sense: a merchant account that requests are booked on."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from countertop.domain.releases import SURCHARGE, TERMINAL_ACCOUNTS, Release

AccountType = Annotated[str, WithJsonSchema({"type": "string", "enum": ["CARD", "ACH"]})]
Percentage = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class SurchargeBody(TypedDict):
    """Whether payments are surcharged, and if so by how many percent."""

    enabled: bool
    percentage: NotRequired[Percentage]


class TerminalBody(TypedDict):
    """`nickname` before release 2018-06-01, from then on `nickName` and the account's fields; `surcharge` since 2023-05-16."""

    terminalId: int
    accountId: NotRequired[str]
    companyLegal: NotRequired[str]
    companyDba: NotRequired[str]
    merchantNumber: NotRequired[str]
    nickName: NotRequired[str]
    nickname: NotRequired[str]
    type: AccountType
    enabled: bool
    surcharge: NotRequired[SurchargeBody]


def terminal_body(
    release: Release,
    *,
    terminal_id: int,
    account_id: str,
    company_legal: str,
    company_dba: str,
    merchant_number: str,
    nick_name: str,
    type: str,  # noqa: A002 - the field's word
    enabled: bool,
    surcharge_rate: int | None,
) -> TerminalBody:
    """The shape that a release gives it. `surcharge_rate` is in thousandths of a percent, None without surcharge."""
    if release < TERMINAL_ACCOUNTS:
        return {"terminalId": terminal_id, "nickname": nick_name, "type": type, "enabled": enabled}
    body: TerminalBody = {
        "terminalId": terminal_id,
        "accountId": account_id,
        "companyLegal": company_legal,
        "companyDba": company_dba,
        "merchantNumber": merchant_number,
        "nickName": nick_name,
        "type": type,
        "enabled": enabled,
    }
    if release >= SURCHARGE:
        body["surcharge"] = _surcharge(surcharge_rate)
    return body


def _surcharge(rate: int | None) -> SurchargeBody:
    if rate is None:
        return {"enabled": False}
    return {"enabled": True, "percentage": Decimal(rate).scaleb(-3)}
