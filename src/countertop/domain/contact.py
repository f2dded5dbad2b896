"""Whom a transaction bills, and whom it ships to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or company. Empty text where nothing is known; a `repr` tells nothing of them."""

    identifier: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    company_name: str = ""
    job_title: str = ""
    phone: str = ""
    phone2: str = ""
    email: str = ""
    website: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""

    def __repr__(self) -> str:
        return "Contact(…)"
