"""Cookies of the console: for this host alone, out of the reach of scripts, not sent along with another site's form.

``SameSite=Lax`` and not ``Strict``: the way back from an OpenID provider comes from another site. What changes
something is a POST, with which no browser sends them from there.
"""

from starlette.datastructures import Headers
from starlette.responses import Response


def only(headers: Headers, name: str) -> str | None:
    """The one cookie of this name; several (another host of the domain may have set some) are none."""
    pairs = [each.partition("=") for line in headers.getlist("cookie") for each in line.split(";")]
    values = [value.strip() for key, _, value in pairs if key.strip() == name]
    return values[0] if len(values) == 1 else None


def put(response: Response, name: str, value: str, *, seconds: float, secure: bool) -> None:
    """Give the browser a cookie for so long."""
    response.set_cookie(name, value, max_age=int(seconds), path="/", secure=secure, httponly=True, samesite="lax")


def drop(response: Response, name: str, *, secure: bool) -> None:
    """Take a cookie back."""
    response.set_cookie(name, "", max_age=0, path="/", secure=secure, httponly=True, samesite="lax")
