"""The command line: countertop …"""

from __future__ import annotations


def main() -> None:
    """Runs the command that the process was started with."""
    from countertop.cli.command import app  # noqa: PLC0415 - what a command needs is loaded when there is one

    app()
