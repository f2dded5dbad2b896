"""How a page of the console is drawn: a template, and headers that let it load nothing from anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

_FOLDER: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(loader=FileSystemLoader(_FOLDER / "template"), autoescape=True, undefined=StrictUndefined)

STYLE: Final = "/pair/style.css"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def draw(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. Every value is escaped; one that the template names and nobody gave is an error."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(style=STYLE, **values), status, headers=HEADERS)


async def style(_request: Request) -> Response:
    """The pages' style sheet."""
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_FOLDER / "template" / "style.css", media_type="text/css", headers=headers)
