"""The commands by name. What each needs is imported when it runs, so that `countertop --help` is there at once."""

# ruff: noqa: ARG001 - settings are taken from the context, all in one (`given_settings`)
from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from countertop.cli.flag import flag, given_settings

app = typer.Typer(
    name="countertop",
    help="An open, self-hosted Smart Terminal gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
terminal_app = typer.Typer(help="The terminal's own software.", no_args_is_help=True)
keys_app = typer.Typer(help="The keys under which things rest in the database.", no_args_is_help=True)
docs_app = typer.Typer(help="Pages of the documentation that are made from the code.", no_args_is_help=True)
app.add_typer(terminal_app, name="terminal")
app.add_typer(keys_app, name="keys")
app.add_typer(docs_app, name="docs", hidden=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"countertop {version('countertop')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """An open, self-hosted Smart Terminal gateway."""


@app.command()
def demo(
    context: typer.Context,
    port: Annotated[str | None, flag("port")] = None,
    data: Annotated[str | None, flag("data")] = None,
) -> None:
    """A test server with one terminal in the browser, and the curl commands to try it."""
    from countertop.cli import demo as command  # noqa: PLC0415

    raise typer.Exit(command.run(given_settings(context)))


@app.command()
def serve(  # noqa: PLR0917 - an option is given by name
    context: typer.Context,
    server: Annotated[str | None, flag("server")] = None,
    host: Annotated[str | None, flag("host")] = None,
    port: Annotated[str | None, flag("port")] = None,
    data: Annotated[str | None, flag("data")] = None,
    seed: Annotated[Path | None, typer.Option(help="Seed file (TOML) to apply before serving", metavar="FILE")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written when the node serves: JSON", metavar="FILE")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    bus_url: Annotated[str | None, flag("bus_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
    connect_deadline: Annotated[str | None, flag("connect_deadline")] = None,
    request_deadline: Annotated[str | None, flag("request_deadline")] = None,
    poll_interval: Annotated[str | None, flag("poll_interval")] = None,
    rate_limit: Annotated[str | None, flag("rate_limit")] = None,
    tls_cert: Annotated[str | None, flag("tls_cert")] = None,
    tls_key: Annotated[str | None, flag("tls_key")] = None,
    behind_proxy: Annotated[bool | None, flag("behind_proxy")] = None,
    allowlist: Annotated[str | None, flag("allowlist")] = None,
    allowlist_key: Annotated[str | None, flag("allowlist_key")] = None,
    connections: Annotated[str | None, flag("connections")] = None,
    log_level: Annotated[str | None, flag("log_level")] = None,
) -> None:
    """One gateway node."""
    from countertop.cli import serve as command  # noqa: PLC0415

    raise typer.Exit(command.run(given_settings(context), seed, ready_file))


@app.command()
def cluster(
    nodes: Annotated[int, typer.Option(help="How many nodes", metavar="N")] = 2,
    data: Annotated[Path | None, typer.Option(help="Where to keep everything; without it nothing is kept", metavar="DIR")] = None,
) -> None:
    """Several nodes, PostgreSQL and NATS on this machine, to be tried out. Needs the extra `cluster`."""
    from countertop.cli import cluster as command  # noqa: PLC0415

    raise typer.Exit(command.run(nodes, data))


@app.command()
def seed(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Seed file (TOML)", metavar="FILE")],
    data: Annotated[str | None, flag("data")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
) -> None:
    """Applies a seed file; applying it again changes nothing."""
    from countertop.cli import seed as command  # noqa: PLC0415

    raise typer.Exit(command.run(given_settings(context), file))


@terminal_app.command("run")
def terminal_run(
    gateway: Annotated[str, typer.Option(help="The gateway's URL", metavar="URL")],
    reader: Annotated[str | None, typer.Option(help="The reader that stripes come from", metavar="NAME")] = None,
    screen_port: Annotated[int | None, typer.Option(help="Port of the screen's page on this machine")] = None,
    data: Annotated[Path, typer.Option(help="Directory of the terminal's token")] = Path("countertop-terminal"),
) -> None:
    """The terminal's software on its own machine; pairs at first start."""
    from countertop.cli import terminal as command  # noqa: PLC0415

    raise typer.Exit(command.run(gateway, reader, screen_port, data))


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The copy to make", metavar="FILE")],
    data: Annotated[str | None, flag("data")] = None,
) -> None:
    """Copies the SQLite file, whole as of one moment, while a server may be writing to it."""
    from countertop.cli import backup as command  # noqa: PLC0415

    raise typer.Exit(command.run(given_settings(context), file))


@app.command("migrate-data")
def migrate_data(
    source: Annotated[str, typer.Argument(help="sqlite:////path/to/countertop.db", metavar="FROM_URL")],
    target: Annotated[str, typer.Argument(help="postgresql://…, an empty database", metavar="TO_URL")],
) -> None:
    """Moves everything from a SQLite file to PostgreSQL."""
    from countertop.cli import migrate_data as command  # noqa: PLC0415

    raise typer.Exit(command.run(source, target))


@keys_app.command("rotate")
def keys_rotate(
    context: typer.Context,
    data: Annotated[str | None, flag("data")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
) -> None:
    """A new key: added, used, and everything sealed anew with it. For nodes that share this key file."""
    from countertop.cli import keys as command  # noqa: PLC0415

    raise typer.Exit(command.rotate(given_settings(context)))


@keys_app.command("add")
def keys_add(
    context: typer.Context,
    data: Annotated[str | None, flag("data")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
) -> None:
    """The first half of `rotate`: a new key, which opens but does not seal yet."""
    from countertop.cli import keys as command  # noqa: PLC0415

    raise typer.Exit(command.add(given_settings(context)))


@keys_app.command("use")
def keys_use(
    context: typer.Context,
    data: Annotated[str | None, flag("data")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
) -> None:
    """The second half of `rotate`: the newest key seals, and everything is sealed anew with it."""
    from countertop.cli import keys as command  # noqa: PLC0415

    raise typer.Exit(command.use(given_settings(context)))


@keys_app.command("prune")
def keys_prune(
    context: typer.Context,
    data: Annotated[str | None, flag("data")] = None,
    database_url: Annotated[str | None, flag("database_url")] = None,
    secret_key_file: Annotated[str | None, flag("secret_key_file")] = None,
) -> None:
    """Takes the older keys out, if nothing rests under them any more."""
    from countertop.cli import keys as command  # noqa: PLC0415

    raise typer.Exit(command.prune(given_settings(context)))


@docs_app.command("settings")
def docs_settings() -> None:
    """Prints docs/reference/settings.md."""
    from countertop.cli.docs import settings_page  # noqa: PLC0415

    print(settings_page(), end="")


@docs_app.command("compatibility")
def docs_compatibility() -> None:
    """Prints docs/explanation/compatibility.md."""
    from countertop.gateway.http.compatibility import compatibility_page  # noqa: PLC0415

    print(compatibility_page(), end="")
