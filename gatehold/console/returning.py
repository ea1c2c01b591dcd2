"""Where somebody goes after they signed in: a page of this console, whatever the link that led here says. Pure."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

HOME: Final = "/"
LONGEST: Final = 1024

_USUAL: Final = {"http": 80, "https": 443}
_LOCAL: Final = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""A path with a query, of the characters of RFC 3986. Browsers take ``//`` and ``/\\`` for the start of a host."""
_SIGN_IN: Final = re.compile(r"/log(in|out)([/?].*)?")


def page_after(wanted: str) -> str:
    """``wanted`` if it is a page of this console, else the first page."""
    if len(wanted) > LONGEST or not _LOCAL.fullmatch(wanted) or _SIGN_IN.fullmatch(wanted):
        return HOME
    return wanted


def with_next(path: str, then: str) -> str:
    """``path`` that leads on to ``then``."""
    return path if then == HOME else f"{path}?next={quote(then, safe='/')}"


def is_host_of(host: str, url: str) -> bool:
    """Whether a ``Host`` header is that of ``url``; the usual port may be written or not."""
    scheme = url.partition("://")[0]
    try:
        ours, theirs = urlsplit(url), urlsplit(f"{scheme}://{host}")
        return (ours.hostname, ours.port or _USUAL[scheme]) == (theirs.hostname, theirs.port or _USUAL[scheme])
    except ValueError:
        return False
