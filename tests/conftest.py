"""What the whole suite shares: a browser to drive, a PostgreSQL, and plain words about every test that was left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from countertop.testing.postgres import PostgresMissing, PostgresServer, postgres_server
from tests import canary

CHROMIUMS: Final = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NOTHING_LEFT_OUT: Final = os.environ.get("CI") == "true"


# An example that takes long says that the machine is busy, not that something is wrong.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Has the digits that are swiped through the suite looked for when it is over."""
    config.pluginmanager.register(canary)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium, for Playwright's `executable_path`."""
    found = next((path for name in CHROMIUMS if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install chromium, or set CHROMIUM=/path/to/it")
    return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for everybody who makes a database of their own in it."""
    try:
        with postgres_server() as server:
            yield server
    except PostgresMissing as missing:
        pytest.skip(f"no PostgreSQL: {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that was left out has failed: a green run there has run everything."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _forbid_leaving_out(report, item)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file."""
    report = yield
    _forbid_leaving_out(report, collector)
    return report


def _forbid_leaving_out(report: pytest.TestReport | pytest.CollectReport, what: pytest.Item | pytest.Collector) -> None:
    if NOTHING_LEFT_OUT and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{what.nodeid} was left out, which CI=true forbids: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what this machine could not run, and why."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("left out")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} × {reason.removeprefix('Skipped: ')}")
