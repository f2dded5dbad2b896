"""Flags of the command line that are settings: their help is the setting's own description."""

from __future__ import annotations

from typing import Any

import typer

from countertop.gateway.settings import ENVIRONMENT_PREFIX, Settings


def flag(setting: str) -> Any:
    """The option `--setting` of a command. Without it the environment, the settings file or the default counts."""
    description = Settings.model_fields[setting].description
    return typer.Option(f"--{setting.replace('_', '-')}", help=f"{description} [{ENVIRONMENT_PREFIX}{setting.upper()}]")


def given_settings(context: typer.Context) -> dict[str, object]:
    """The settings among a command's parameters, by name; None where the flag was not given."""
    return {name: value for name, value in context.params.items() if name in Settings.model_fields}
