"""Logs: JSON lines in which no secret and no card can be, whoever logs it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from countertop.gateway.logs import hide_digits, set_up_logs

UUID = "01234567-8901-7234-8567-890123456789"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    set_up_logs("info", stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("countertop.test").info("it happened", request_id=UUID, count=3)
    (line,) = lines(stream)
    assert line["event"] == "it happened"
    assert line["request_id"] == UUID
    assert line["count"] == 3
    assert line["level"] == "info"
    assert line["logger"] == "countertop.test"
    assert str(line["timestamp"]).endswith("Z")


def test_libraries_write_the_same_lines(stream: io.StringIO) -> None:
    logging.getLogger("some.library").info("Started server process [%d]", 17)
    (line,) = lines(stream)
    assert line["event"] == "Started server process [17]"


@pytest.mark.parametrize("name", ["password", "webhook_secret", "Authorization", "token", "stripe", "track1", "application_key"])
def test_what_is_named_like_a_secret_is_not_written(stream: io.StringIO, name: str) -> None:
    structlog.stdlib.get_logger("countertop.test").warning("no", **{name: "hunter2"}, inner={name: ["hunter2"]})
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    "text", [";7090112233654321?", "4111 1111 1111 1111", "4111-1111-1111-1111", "%B924696827707852^?", "x924696827"]
)
def test_digits_of_a_card_are_not_written(stream: io.StringIO, text: str) -> None:
    logger = structlog.stdlib.get_logger("countertop.test")
    logger.warning(text, field=text, several=[text], inner={"a": {"b": (text,)}}, binary=text.encode())
    logging.getLogger("some.library").error("%s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("it failed")
    written = stream.getvalue()
    assert not any(part in written for part in (text, text.strip(";%B^?x"), "4111 1111", "4111-1111"))
    assert len(lines(stream)) == 3


@pytest.mark.parametrize("text", [UUID, "at 12:30:59 on 2026-12-01", "port 8440", "took 12345678 ns"])
def test_what_is_no_card_is_written(text: str) -> None:
    assert hide_digits(text) == text


def test_an_exception_has_its_place_but_no_values(stream: io.StringIO) -> None:
    password = "hunter2"
    try:
        raise KeyError(len(password))
    except KeyError:
        structlog.stdlib.get_logger("countertop.test").exception("it failed")
    assert "test_logs.py" in stream.getvalue()
    assert "hunter2" not in stream.getvalue().replace('password = "hunter2"', "")


def test_debugging_never_shows_frames(stream: io.StringIO) -> None:
    set_up_logs("debug", stream)
    logging.getLogger("uvicorn.error").debug("< TEXT frame")
    logging.getLogger("websockets.server").debug("< TEXT frame")
    assert stream.getvalue() == ""
