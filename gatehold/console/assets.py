"""The files that pages are made of, read once; their addresses name their content, so browsers may keep them."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def contents() -> Mapping[str, bytes]:
    """Every file by its name."""
    return {each.name: each.read_bytes() for each in files("gatehold.console").joinpath("static").iterdir()}


def asset(name: str) -> str:
    """The address of a file. Raises KeyError for one that is not there."""
    return f"/static/{name}?{sha256(contents()[name]).hexdigest()[:12]}"


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    content, kind = contents().get(name), _TYPES.get(f".{name.rpartition('.')[2]}")
    if content is None or kind is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    return Response(content, headers={**_KEPT, "Content-Type": kind} if request.url.query else {"Content-Type": kind})


ROUTES: Final = (Route("/static/{name}", _static),)
