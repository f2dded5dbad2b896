"""Structured logs: one JSON object a line on standard error, whoever wrote it.

Two rules hold for every line, also for those of libraries and for tracebacks: a field that is named like a secret is not written,
and of text no run of nine or more digits is, save in a UUID. So a card cannot get into a log by somebody's forgetfulness.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Final, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_SECRET_NAMES: Final = re.compile(
    r"password|secret|token|authorization|cookie|stripe|track|api_?key|application_?key", re.IGNORECASE
)
_DIGITS_OR_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d(?:[ -]?\d){8,}", re.IGNORECASE)
_QUIET: Final = ("asyncio", "uvicorn.error", "aiohttp", "websockets", "nats", "alembic", "sqlalchemy")
"""Libraries of which only warnings are of interest; some would write whole frames below that."""


def set_up_logs(level: str, stream: TextIO | None = None) -> None:
    """Sends the logs of this process to `stream` (default: standard error), from `level` on."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _keep_secrets,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _keep_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _safe(name, value) for name, value in event.items()}


def _safe(name: str, value: object) -> object:
    if _SECRET_NAMES.search(name):
        return "[secret]"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _safe(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe("", inner) for inner in value]
    return hide_digits(str(value))


def hide_digits(text: str) -> str:
    """The text with every run of nine or more digits hidden, also one broken by spaces or hyphens; UUIDs stay."""
    return _DIGITS_OR_UUID.sub(lambda found: found[0] if found[0].count("-") == 4 and len(found[0]) == 36 else "[digits]", text)
