"""Reference pages that are made from the code, so that they cannot disagree with it."""

from __future__ import annotations

from typing import Final

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from countertop.gateway.settings import ENVIRONMENT_PREFIX, FILE, Settings

_HEAD: Final = f"""\
# Settings

<!-- Made by `countertop docs settings`; a test holds it against the code. -->

A flag wins over the environment, the environment over `{FILE}` in the working directory, the file over the default. The flag of
`CONNECT_DEADLINE` is `--connect-deadline`, its environment variable `{ENVIRONMENT_PREFIX}CONNECT_DEADLINE`, its name in the file
`connect_deadline`. Settings that cannot work end the command with status 2 and one line that says why.

| Setting | Default | Meaning |
|---|---|---|
"""


def settings_page() -> str:
    """The reference page of all settings, in Markdown."""
    rows = (f"| `{name.upper()}` | {_default(field)} | {field.description} |\n" for name, field in Settings.model_fields.items())
    return _HEAD + "".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
