"""The commands: what they say, and the status they end with."""

from __future__ import annotations

import json
import re
import stat
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.canary import watch
from tests.end_to_end.process import KEY, LOGIN, PASSWORD, SEED, ServerProcess, run

VIRTUAL = "virtual = true"


def test_the_version(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"countertop {version('countertop')}\n")


def test_every_command_has_help(tmp_path: Path) -> None:
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    commands = ("demo", "serve", "seed", "terminal")
    assert [name for name in commands if not re.search(rf"\b{name}\b", done.stdout)] == []


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["serve", "--port", "none"], {}, "PORT: "),
        (["serve"], {"rate_limit": "fast"}, "RATE_LIMIT: "),
        (["serve", "--server", "production", "--host", "192.0.2.1"], {}, "without TLS"),
        (["serve", "--seed", "no.toml"], {}, "no.toml cannot be read"),
        (["serve", "--data", "/dev/null/data"], {}, "DATA: "),
        (["serve", "--host", "192.0.2.1"], {}, "cannot listen on 192.0.2.1"),
        (["serve"], {"database_url": "postgresql://127.0.0.1:1/none", "secret_key_file": "keys"}, "DATABASE_URL: "),
        (["seed", "no.toml"], {}, "no.toml cannot be read"),
        (["terminal", "run", "--gateway", "gateway"], {}, "--gateway: "),
        (["terminal", "run", "--gateway", "http://127.0.0.1:1", "--reader", "wand"], {}, "--reader wand: there are "),
    ],
)
def test_what_cannot_work_ends_with_2_and_one_line(
    arguments: list[str], settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    done = run(*arguments, folder=tmp_path, **({"port": 0} | settings))
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"countertop: [^\n]+\n", done.stderr), done.stderr
    assert words in done.stderr


def test_a_settings_file_is_read_and_loses_against_the_environment(tmp_path: Path) -> None:
    (tmp_path / "countertop.toml").write_text('RATE_LIMIT = "fast"\nport = 0\n')
    assert "RATE_LIMIT: " in run("serve", folder=tmp_path).stderr
    assert "POLL_INTERVAL: " in run("serve", folder=tmp_path, rate_limit="10/20", poll_interval=-1).stderr
    (tmp_path / "countertop.toml").write_text("colour = 'green'\n")
    assert "COLOUR: there is no such setting" in run("serve", folder=tmp_path).stderr
    (tmp_path / "countertop.toml").write_text("colour = \n")
    assert "countertop.toml cannot be read" in run("serve", folder=tmp_path).stderr


def test_seeding_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED)
    assert run("seed", "seed.toml", "--data", "data", folder=tmp_path).stdout == "7 changed\n"
    before = (tmp_path / "data/countertop.db").read_bytes()
    assert run("seed", "seed.toml", "--data", "data", folder=tmp_path).stdout == "nothing to change\n"
    assert (tmp_path / "data/countertop.db").read_bytes() == before
    assert stat.S_IMODE((tmp_path / "data/secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("terminalId = 1", 'terminalId = "one"', "merchant 1, terminal 1, terminalId: "),
        ('nickName = "Main"', 'nickname = "Main"', "merchant 1, terminal 1, nickName: Field required"),
        (f'login = "{LOGIN}"', f'login = "{LOGIN}"\ncolour = "green"', "merchant 1, login 1, colour: there is no such key"),
        ("after_ms = 5", "after_ms = -5", "merchant 1, smart_terminal 2, autopilot, after_ms: "),
        ("88888888-4444-4444-4444-cccccccccccc", "8", "merchant 1, smart_terminal 1, smartTerminalId: "),
        (f'key = "{KEY}"', f'key = "{KEY}"\nrelease = "soon"', "merchant 1, application_key 1, release: "),
    ],
)
def test_a_seed_file_s_faults_are_told_by_their_place(was: str, becomes: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED.replace(was, becomes))
    done = run("seed", "seed.toml", folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert PASSWORD not in done.stderr


def test_a_production_server_has_nothing_of_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED)
    refused = run("serve", "--server", "production", "--seed", "seed.toml", folder=tmp_path, port=0)
    assert (refused.returncode, "test server only" in refused.stderr) == (2, True)

    (tmp_path / "seed.toml").write_text(re.sub(r"(virtual|autopilot) = .*", "", SEED))
    server = ServerProcess(tmp_path, {"server": "production"}, ["--seed", "seed.toml"])
    assert server.start()["server"] == "production"
    try:
        with server.caller() as caller:
            assert caller.get("/smartterminals").status == 200
            assert caller.get("/terminals").status == 200
            device = "88888888-4444-4444-4444-cccccccccccc"
            for path in (
                f"/test/smartterminals/{device}/screen",
                f"/virtual-terminal/{device}",
                "/virtual-terminal/static/page.js",
            ):
                assert caller.get(path).status == 404
            assert caller.post("/test/clock/advance", {"seconds": 1}).status == 404
            assert "/test/" not in json.dumps(caller.get("/openapi.json").json)
            hook = {"event": "SMARTTERMINAL_REQUEST", "url": "http://127.0.0.1:9000/hook"}
            assert caller.post("/webhooks", hook).status == 400
    finally:
        assert server.stop() == 0
    watch(tmp_path)
