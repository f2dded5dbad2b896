"""A merchant, as `GET /merchants` lists it."""

from __future__ import annotations

from typing_extensions import TypedDict


class MerchantBody(TypedDict):
    """`id` is what webhooks carry as `Pj-Merchant`."""

    id: str
    name: str


def merchant_body(merchant_id: str, name: str) -> MerchantBody:
    """The same in every release."""
    return {"id": merchant_id, "name": name}
