"""Settings: bounds, what makes no sense together, and that no fault quotes a value."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from countertop.cli.docs import settings_page
from countertop.gateway.settings import RateLimit, Settings, SettingsError, is_loopback, load_settings

ROOT = Path(__file__).parents[2]


def test_defaults() -> None:
    settings = Settings()
    assert (settings.server, settings.host, settings.port) == ("test", "127.0.0.1", 8440)
    assert (settings.connect_deadline_ms, settings.request_deadline_ms, settings.poll_interval) == (10_000, 60_000, 0.5)
    assert settings.rate_limit == RateLimit(100, 200)
    assert settings.database == f"sqlite:///{Path('countertop-data/countertop.db').absolute()}"
    assert settings.key_file == Path("countertop-data/secret.key")


@pytest.mark.parametrize(
    ("text", "limit"),
    [("100/200", RateLimit(100, 200)), ("10", RateLimit(10, 20)), ("0.5/1", RateLimit(0.5, 1)), ("1/5", RateLimit(1, 5))],
)
def test_rate_limits(text: str, limit: RateLimit) -> None:
    assert load_settings({"rate_limit": text}).rate_limit == limit


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"server": "prod"}, "SERVER: "),
        ({"port": "70000"}, "PORT: "),
        ({"port": "http"}, "PORT: "),
        ({"connect_deadline": "0"}, "CONNECT_DEADLINE: "),
        ({"connect_deadline": "nan"}, "CONNECT_DEADLINE: "),
        ({"poll_interval": "-1"}, "POLL_INTERVAL: "),
        ({"rate_limit": "many"}, "RATE_LIMIT: write it as"),
        ({"rate_limit": "0/1"}, "RATE_LIMIT: both numbers"),
        ({"rate_limit": "nan/1"}, "RATE_LIMIT: both numbers"),
        ({"database_url": "mysql://localhost"}, "DATABASE_URL must begin with"),
        ({"database_url": "postgresql://localhost"}, "SECRET_KEY_FILE is required with DATABASE_URL"),
        ({"bus_url": "redis://localhost"}, "BUS_URL must begin with"),
        ({"public_url": "ftp://shop.example"}, "PUBLIC_URL must begin with https:// and a host"),
        ({"public_url": "https://[shop"}, "PUBLIC_URL must begin with https:// and a host"),
        ({"public_url": "http://shop.example", "server": "production"}, "PUBLIC_URL must begin with https:// and a host"),
        ({"public_url": "https://shop.example/gateway"}, "PUBLIC_URL ends with the host"),
        ({"tls_cert": "cert.pem"}, "TLS_CERT and TLS_KEY belong together"),
        ({"tls_cert": "no.pem", "tls_key": "no.pem"}, "TLS_CERT: there is no file no.pem"),
        ({"server": "production", "host": "192.0.2.1"}, "does not listen on 192.0.2.1 without TLS"),
        ({"server": "production", "host": "::"}, "does not listen on :: without TLS"),
        ({"server": "production", "host": "pos.example"}, "without TLS"),
        ({"colour": "green"}, "COLOUR: there is no such setting"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(flags: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_production_may_listen_on_the_loopback(host: str) -> None:
    assert load_settings({"server": "production", "host": host}).host == host
    assert is_loopback(host)


def test_production_may_stand_behind_a_proxy() -> None:
    assert load_settings({"server": "PRODUCTION", "host": "192.0.2.1", "behind_proxy": True}).server == "production"


def test_no_fault_quotes_a_value() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"database_url": "mysql://admin:hunter2@db", "rate_limit": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


def test_secrets_do_not_show() -> None:
    settings = Settings.model_validate({"bus_url": "nats://me:hunter2@bus"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


def test_the_reference_page_is_that_of_the_code() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    assert page == settings_page(), "run: countertop docs settings > docs/reference/settings.md"


def test_log_levels_are_those_of_logging() -> None:
    for level in ("debug", "info", "warning", "error"):
        assert load_settings({"log_level": level}).log_level.upper() in logging.getLevelNamesMapping()
