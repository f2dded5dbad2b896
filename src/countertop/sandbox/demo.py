"""The demonstration's merchant: one login, one account, one virtual terminal, and a webhook to whoever watches.

Its credentials are made at the first start and kept, for their owner only, in the data directory.
"""

from __future__ import annotations

import json
import os
import secrets
import uuid
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from countertop.gateway.operations.access import Caller, find_login
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.webhook import delete_webhook, list_webhooks
from countertop.gateway.seed import SeedFile, check_seed
from countertop.gateway.settings import SettingsError
from countertop.gateway.store.unit import Unit

FILE: Final = "demo.json"
MERCHANT: Final = "Corner Books"
TERMINAL_ID: Final = 1


class DemoAccess(BaseModel):
    """What a visitor of the demonstration needs. `webhook_port` is where its webhooks are caught."""

    model_config = ConfigDict(extra="forbid")

    login: str
    password: str
    application_key: str
    smart_terminal_id: str
    webhook_secret: str
    webhook_port: int

    def seed(self, webhook_url: str) -> SeedFile:
        """The demonstration's merchant, as a seed file would have it."""
        return check_seed(_document(self, webhook_url), "the demonstration's seed", test_server=True)


def demo_access(data: Path) -> DemoAccess:
    """The credentials in a data directory, made if there are none. Raises SettingsError if they cannot be read or written."""
    file = data / FILE
    try:
        if file.exists():
            return DemoAccess.model_validate_json(file.read_bytes())
        access = DemoAccess(
            login="demo",
            password=secrets.token_urlsafe(15),
            application_key=str(uuid.uuid4()),
            smart_terminal_id=str(uuid.uuid4()),
            webhook_secret=secrets.token_urlsafe(24),
            webhook_port=0,
        )
        keep_access(data, access)
    except OSError as error:
        raise SettingsError(f"DATA: {file} cannot be used: {error.strerror}") from None
    except ValidationError:
        raise SettingsError(
            f"DATA: {file} does not hold the demonstration's credentials; remove it to have new ones made"
        ) from None
    return access


def keep_access(data: Path, access: DemoAccess) -> None:
    """Writes the credentials down, readable for their owner only."""
    draft = data / f".{FILE}.{os.getpid()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(access.model_dump(), file, indent=2)
    draft.replace(data / FILE)


def end_other_webhooks(unit: Unit, at: Moment, login: str, url: str) -> None:
    """Ends the demonstration's subscriptions but that of `url`: they were of catchers that are no more."""
    found = find_login(unit, login)
    if found is None:
        return
    caller = Caller(found.merchant_id, found.id, "")
    for webhook in list_webhooks(unit, found.merchant_id, offset=0, limit=50):
        if webhook.url != url and webhook.url.startswith("http://127.0.0.1:") and webhook.url.endswith("/hook"):
            delete_webhook(unit, at, caller, webhook.id)


def _document(access: DemoAccess, webhook_url: str) -> dict[str, Any]:
    return {
        "merchant": [
            {
                "name": MERCHANT,
                "login": [{"login": access.login, "password": access.password}],
                "application_key": [{"key": access.application_key}],
                "terminal": [{"terminalId": TERMINAL_ID, "nickName": "Main", "default": True}],
                "smart_terminal": [
                    {
                        "smartTerminalId": access.smart_terminal_id,
                        "nickName": "Counter 1",
                        "serialNumber": "VIRTUAL-1",
                        "virtual": True,
                    }
                ],
                "webhook": [{"event": "SMARTTERMINAL_REQUEST", "url": webhook_url, "secret": access.webhook_secret}],
            }
        ]
    }
