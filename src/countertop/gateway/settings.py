"""What an administrator can set, with its meaning, its bounds and what makes no sense together.

A setting comes from a flag, else from the environment (`COUNTERTOP_…`), else from `countertop.toml` in the working directory,
else it has its default. `docs/reference/settings.md` is made of this module (`gateway.settings_page`).
"""

from __future__ import annotations

import datetime
import ipaddress
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainSerializer, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSource

from countertop.domain.clock import SECOND
from countertop.domain.errors import CountertopError

ENVIRONMENT_PREFIX: Final = "COUNTERTOP_"
FILE: Final = "countertop.toml"


class SettingsError(CountertopError):
    """Settings that cannot work. The text is one line, fit to be shown, and holds no secret."""


class RateLimit(NamedTuple):
    """So many requests a second for each API login, and so many at once."""

    per_second: float
    burst: int

    def __str__(self) -> str:
        return f"{self.per_second:g}/{self.burst}"


def _rate_limit(value: object) -> object:
    """`"100/200"` as a RateLimit; the burst may be left out and is then twice the rate."""
    if not isinstance(value, str):
        return value
    rate, _, burst = value.partition("/")
    try:
        limit = RateLimit(float(rate), int(burst) if burst else max(1, round(2 * float(rate))))
    except (ValueError, OverflowError):
        raise ValueError("write it as requests a second / burst, for example 100/200") from None
    if not 0 < limit.per_second < 1e9 or limit.burst < 1:
        raise ValueError("both numbers must be greater than 0")
    return limit


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Seconds = Annotated[float, Field(gt=0, le=3600)]
Limit = Annotated[RateLimit, BeforeValidator(_rate_limit), PlainSerializer(str, return_type=str)]


class Settings(BaseSettings):
    """All settings of one gateway node. Durations are seconds."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        enable_decoding=False,
    )

    server: Annotated[Literal["test", "production"], BeforeValidator(_lower)] = Field(
        "test",
        description="`test` has virtual terminals, a clock to advance and the `/test` paths; `production` has none of it",
    )
    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on")
    port: int = Field(8440, ge=0, le=65535, description="The port to listen on; `0` takes a free one")
    data: Path = Field(
        Path("countertop-data"), description="Directory of the SQLite file, the key file and the demo's credentials"
    )
    database_url: SecretStr | None = Field(
        None, description="`postgresql://…` to share one database between nodes; without it SQLite in `DATA`"
    )
    bus_url: SecretStr | None = Field(
        None, description="`nats://…`; without it a node finds what other nodes did by query, a little later"
    )
    secret_key_file: Path | None = Field(
        None,
        description="Keys for what rests in the database, 0600; in `DATA`, made at first start. Required with `DATABASE_URL`",
    )
    connect_deadline: Seconds = Field(10, description="Seconds from CONNECTING to NO_CONNECTION")
    request_deadline: Seconds = Field(60, description="Seconds a request may be on a screen before it ends without a result")
    poll_interval: float = Field(
        0.5, ge=0, le=3600, description="Least seconds between two polls of one request; `0` switches the limit off"
    )
    rate_limit: Limit = Field(RateLimit(100, 200), description="Requests a second / burst, for each API login")
    tls_cert: Path | None = Field(
        None, description="Certificate chain (PEM). Production needs it on any address but the loopback"
    )
    tls_key: Path | None = Field(None, description="Private key of `TLS_CERT` (PEM)")
    behind_proxy: bool = Field(
        False, description="A reverse proxy in front does TLS; its `X-Forwarded-For` and `X-Forwarded-Proto` are believed"
    )
    allowlist: Path | None = Field(
        None, description="The operator's own card ranges (TOML); the signature is in the file of that name with `.sig` after it"
    )
    allowlist_key: Path | None = Field(None, description="Public key (Ed25519, PEM) that `ALLOWLIST` must be signed with")
    processor_host: str | None = Field(
        None,
        min_length=1,
        description="Who authorises payments: a host that speaks ISO 8583. Without it `request-payment` is refused",
    )
    processor_port: int | None = Field(None, ge=1, le=65535, description="The port of `PROCESSOR_HOST`")
    processor_key: Path | None = Field(
        None, description="The processor's public key (PEM), which cards are sealed to: RSA of at least 2048 bits, or EC"
    )
    processor_tls: bool = Field(True, description="Speak to `PROCESSOR_HOST` over TLS; without it only on the loopback")
    processor_tls_ca: Path | None = Field(
        None, description="Certificates (PEM) that `PROCESSOR_HOST` must be vouched for by; without it the system's"
    )
    processor_tls_cert: Path | None = Field(None, description="This server's own certificate towards `PROCESSOR_HOST` (PEM)")
    processor_tls_key: Path | None = Field(None, description="Private key of `PROCESSOR_TLS_CERT` (PEM)")
    public_url: str | None = Field(
        None, description="Where customers reach this server, `https://…`: mails that ask for a signature have a link to it"
    )
    smtp_url: SecretStr | None = Field(
        None, description="`smtp://…` or `smtps://…`, with login and password if need be: who sends mails on"
    )
    smtp_from: str | None = Field(None, pattern=r"^[^\r\n]*@[^\r\n]*$", description="The sender of mails; `SMTP_URL` needs it")
    settlement_hour: int = Field(20, ge=0, le=23, description="The full hour at which accounts are settled each day")
    settlement_zone: str = Field("UTC", description="The time zone of `SETTLEMENT_HOUR`, such as `America/Los_Angeles`")
    connections: int = Field(
        20_000, ge=1, description="Most connections at a time, terminals included; past it the quietest make room"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="Least level that is logged: `debug`, `info`, `warning` or `error`"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source here
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source here
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment over file over defaults."""
        return init_settings, env_settings, _SettingsFile(settings_cls)

    @property
    def connect_deadline_ms(self) -> int:
        """`connect_deadline` in milliseconds."""
        return round(self.connect_deadline * SECOND)

    @property
    def request_deadline_ms(self) -> int:
        """`request_deadline` in milliseconds."""
        return round(self.request_deadline * SECOND)

    @property
    def settlement_time_zone(self) -> datetime.tzinfo:
        """`settlement_zone`, of which UTC needs no time zone database."""
        return datetime.UTC if self.settlement_zone == "UTC" else ZoneInfo(self.settlement_zone)

    @property
    def database(self) -> str:
        """The database's URL: the one that was set, or that of the SQLite file."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data / 'countertop.db').absolute()}"

    @property
    def key_file(self) -> Path:
        """Where the keys are."""
        return self.secret_key_file or self.data / "secret.key"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        for fault in (
            self._database_fault(),
            self._bus_fault(),
            self._public_fault(),
            self._mail_fault(),
            self._tls_fault(),
            self._allowlist_fault(),
            *self._payment_faults(),
        ):
            if fault is not None:
                raise ValueError(fault)
        return self

    def _database_fault(self) -> str | None:
        if self.database_url is None:
            return None
        if _scheme(self.database_url) not in ("postgresql", "postgres"):
            return "DATABASE_URL must begin with postgresql://"
        if self.secret_key_file is None:
            return "SECRET_KEY_FILE is required with DATABASE_URL: all nodes of one database need the same keys"
        return None

    def _bus_fault(self) -> str | None:
        if self.bus_url is not None and _scheme(self.bus_url) not in ("nats", "tls"):
            return "BUS_URL must begin with nats:// or tls://"
        return None

    def _public_fault(self) -> str | None:
        if self.public_url is None:
            return None
        schemes = ("https",) if self.server == "production" else ("https", "http")
        try:
            parts = urlsplit(self.public_url)
            fit = parts.scheme in schemes and bool(parts.hostname)
        except ValueError:
            fit = False
        if not fit:
            return "PUBLIC_URL must begin with https:// and a host"
        return "PUBLIC_URL ends with the host" if parts.path not in ("", "/") or parts.query or parts.fragment else None

    def _mail_fault(self) -> str | None:
        if self.smtp_url is None:
            return None
        if _scheme(self.smtp_url) not in ("smtp", "smtps") or not urlsplit(self.smtp_url.get_secret_value()).hostname:
            return "SMTP_URL must begin with smtp:// or smtps:// and a host"
        return None if self.smtp_from else "SMTP_FROM is required with SMTP_URL: a mail has a sender"

    def _tls_fault(self) -> str | None:
        if (self.tls_cert is None) != (self.tls_key is None):
            return "TLS_CERT and TLS_KEY belong together: set both or none"
        for name, path in (("TLS_CERT", self.tls_cert), ("TLS_KEY", self.tls_key)):
            if path is not None and not path.is_file():
                return f"{name}: there is no file {path}"
        if self.server == "production" and self.tls_cert is None and not self.behind_proxy and not is_loopback(self.host):
            return (
                f"a production server does not listen on {self.host} without TLS: set TLS_CERT and TLS_KEY, "
                "or BEHIND_PROXY=true if a reverse proxy does TLS"
            )
        return None

    def _payment_faults(self) -> Iterator[str]:
        named = (self.processor_host, self.processor_port, self.processor_key)
        if any(value is not None for value in named) and None in named:
            yield "PROCESSOR_HOST, PROCESSOR_PORT and PROCESSOR_KEY belong together: set all or none"
        if (self.processor_tls_cert is None) != (self.processor_tls_key is None):
            yield "PROCESSOR_TLS_CERT and PROCESSOR_TLS_KEY belong together: set both or none"
        if self.processor_host is not None and not self.processor_tls and not is_loopback(self.processor_host):
            yield "PROCESSOR_TLS may be switched off only for a processor on the loopback"
        try:
            _ = self.settlement_time_zone
        except (ValueError, OSError, ZoneInfoNotFoundError):
            yield f"SETTLEMENT_ZONE: there is no time zone {self.settlement_zone}"

    def _allowlist_fault(self) -> str | None:
        if (self.allowlist is None) != (self.allowlist_key is None):
            return "ALLOWLIST and ALLOWLIST_KEY belong together: set both or none"
        return None


class _SettingsFile(PydanticBaseSettingsSource):
    """`countertop.toml`: a setting's name, in small or capital letters, and its value."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the file is taken whole
        """Not used: the file is taken whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = Path(FILE)
        if not path.is_file():
            return {}
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{FILE} cannot be read: {error}") from None
        return {name.lower(): value for name, value in content.items()}


def load_settings(flags: Mapping[str, object]) -> Settings:
    """The settings of this process; `flags` are those given on the command line (None: not given).

    Raises SettingsError, in one line, if they cannot work.
    """
    given: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_describe(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())) from None
    except UnreadableSource as error:
        raise SettingsError(str(error)) from None


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """One fault in words. Never what was given: it could be a secret."""
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0]).upper()
    return f"{name}: there is no such setting" if kind == "extra_forbidden" else f"{name}: {message}"


def _scheme(url: SecretStr) -> str:
    return urlsplit(url.get_secret_value()).scheme


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine only. A name that is not `localhost` could be anywhere and counts as elsewhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
