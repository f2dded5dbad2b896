"""The processor that a node asks, and the key that cards are sealed to for it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from countertop.domain.errors import NotReadable
from countertop.domain.sealed_card import SealingKey, read_key
from countertop.gateway.processors.iso8583 import HostAddress, Iso8583Processor
from countertop.gateway.processors.port import Processor
from countertop.gateway.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Acquirer:
    """Who takes payments for this node's merchants. Of the key only the public half is needed, and ever given away."""

    processor: Processor
    key: SealingKey

    @property
    def public_pem(self) -> str:
        """The key's public half, for a terminal to seal to."""
        return self.key.as_pem(private=False).decode()


def configured_acquirer(settings: Settings) -> Acquirer | None:
    """The host that the settings name, over ISO 8583; None if they name none. Raises SettingsError if it cannot be used."""
    if settings.processor_host is None or settings.processor_port is None or settings.processor_key is None:
        return None
    try:
        key = read_key(settings.processor_key.read_bytes())
    except (OSError, NotReadable) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"PROCESSOR_KEY: {settings.processor_key} cannot be used: {reason}") from None
    return Acquirer(Iso8583Processor(HostAddress(settings.processor_host, settings.processor_port, _tls(settings))), key)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.processor_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.processor_tls_ca)
        if settings.processor_tls_cert is not None:
            context.load_cert_chain(settings.processor_tls_cert, settings.processor_tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"PROCESSOR_TLS: the certificates cannot be used: {error.strerror or type(error).__name__}") from None
    return context
