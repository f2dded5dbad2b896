"""Keys are changed, and copies made, while a node serves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from countertop.cli import keys
from countertop.testing.caller import Caller, ended
from countertop.testing.cluster import Cluster
from tests.canary import GIFT, GIFT_STRIPE
from tests.end_to_end.conftest import StartServer
from tests.end_to_end.conftest import start_server as start_server  # noqa: PLC0414 - a fixture
from tests.end_to_end.process import ServerProcess, post_read, run, terminal


def read_a_card(caller: Caller) -> str:
    counter = terminal(caller)
    request_id = post_read(caller)
    counter.until("SWIPE_CARD")
    counter.swipe(GIFT_STRIPE)
    assert card_of(caller, request_id) == GIFT
    return request_id


def card_of(caller: Caller, request_id: str) -> str:
    body = ended(caller, request_id)
    return str(body["track2"])


def command(server: ServerProcess, *arguments: str) -> str:
    done = run(*arguments, "--data", str(server.data), folder=server.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keys_are_changed_while_a_node_serves(start_server: StartServer) -> None:
    server = start_server()
    file = server.data / "secret.key"
    before = json.loads(file.read_text())
    with server.caller() as caller:
        old = read_a_card(caller)
        assert " values were sealed anew" in command(server, "keys", "rotate")
        new = read_a_card(caller)
        assert "has 1 key" in command(server, "keys", "prune")
        after = json.loads(file.read_text())
        assert set(after["keys"]) == {after["current"]}
        assert after["current"] not in before["keys"]
        assert [card_of(caller, one) for one in (old, new)] == [GIFT, GIFT]
    server.kill()
    server.start()
    with server.caller() as caller:
        assert [card_of(caller, one) for one in (old, new)] == [GIFT, GIFT]


def test_an_older_key_stays_while_something_rests_under_it(start_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    server = start_server()
    with server.caller() as caller:
        read_a_card(caller)
    server.kill()  # nobody follows the key file
    where = {"data": server.data}
    assert keys.add(where) == 0
    kept = json.loads((server.data / "secret.key").read_text())
    (newest,) = set(kept["keys"]) - {kept["current"]}
    (server.data / "secret.key").write_text(json.dumps({**kept, "current": newest}))
    assert keys.prune(where) == 2
    assert "sealed anew" in capsys.readouterr().err
    assert keys.prune(where) == 0
    assert "has 1 key" in capsys.readouterr().out


def test_a_backup_is_a_server_as_it_was(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    copy = tmp_path / "copy.db"
    with server.caller() as caller:
        request_id = read_a_card(caller)
        command(server, "backup", str(copy))
        read_a_card(caller)
    assert copy.stat().st_mode & 0o777 == 0o600
    server.kill()
    for file in server.data.glob("countertop.db*"):
        file.unlink()
    shutil.copy(copy, server.data / "countertop.db")
    server.start()
    with server.caller() as caller:
        assert card_of(caller, request_id) == GIFT
        read_a_card(caller)


@pytest.mark.parametrize("reason", ["exists already", "there is no", "own tools"])
def test_a_backup_that_cannot_be_made_is_said_in_one_line(reason: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    settings = {"database_url": "postgresql://x", "secret_key_file": tmp_path / "k"} if reason == "own tools" else {}
    if reason == "exists already":
        copy.touch()
        (tmp_path / "countertop.db").touch()
    refused = run("backup", str(copy), "--data", str(tmp_path), folder=tmp_path, **settings)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert reason in refused.stderr


@pytest.mark.cluster
@pytest.mark.postgres
def test_a_dump_of_postgresql_is_restored(cluster: Cluster) -> None:
    smart_terminal_id = list(cluster.shop.tokens)[-1]  # no other test's: the request stays open
    with cluster.caller() as caller:
        request_id = caller.post(f"/smartterminals/{smart_terminal_id}/request-read", {"terminalId": 1}).json["requestId"]
    name = cluster.postgres.create_database("template0")
    dump, url = cluster.folder / "dump", cluster.postgres.url(name)
    programs = cluster.postgres.programs
    environment = {**os.environ, "LD_LIBRARY_PATH": ""}
    save = [str(programs / "pg_dump"), "--format=custom", f"--file={dump}", cluster.postgres.url()]
    load = [str(programs / "pg_restore"), "--exit-on-error", "--single-transaction", f"--dbname={url}", str(dump)]
    for program in (save, load):
        subprocess.run(program, check=True, env=environment)
    with psycopg.connect(url) as database:
        found = database.execute(sql.SQL("SELECT count(*) FROM request WHERE id = {}").format(sql.Literal(request_id))).fetchone()
    assert found == (1,)
