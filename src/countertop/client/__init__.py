"""A client for programs that talk to the gateway: blocking or asynchronous, with the checking of webhooks.

    with Client(url, login, password, application_key) as client:
        ended = client.read_card(smart_terminal_id, terminal_id)
        if ended.result is not None:
            look_up(ended.result.track2)

`AsyncClient` has the same methods, to be awaited. Only the domain is imported: no gateway, no terminal.
"""

from countertop.client.asynchronous import AsyncClient
from countertop.client.blocking import Client
from countertop.client.ended import Ended, Paid, Result, Signed
from countertop.client.errors import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    BadAnswer,
    ClientError,
    Forbidden,
    InvalidCall,
    NotFound,
    NotGenuine,
    ServerFailed,
    TooManyRequests,
    Unreachable,
)
from countertop.client.shape import SmartTerminal, Surcharge, Terminal, Webhook
from countertop.client.webhook import Event, verify_webhook
from countertop.domain.errors import Fault
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead, InputEntered

__all__ = [
    "AnswerLost",
    "ApiError",
    "AsyncClient",
    "AuthenticationFailed",
    "BadAnswer",
    "ButtonPressed",
    "CardRead",
    "Client",
    "ClientError",
    "Ended",
    "Event",
    "Fault",
    "Forbidden",
    "InputEntered",
    "InvalidCall",
    "NotFound",
    "NotGenuine",
    "Outcome",
    "Paid",
    "Result",
    "ServerFailed",
    "Signed",
    "SmartTerminal",
    "Status",
    "Surcharge",
    "Terminal",
    "TooManyRequests",
    "Unreachable",
    "Webhook",
    "verify_webhook",
]
