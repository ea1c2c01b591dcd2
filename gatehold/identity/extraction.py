"""The agent's token out of a ``Proxy-Authorization`` or ``Authorization`` value. Pure.

``Bearer TOKEN``, or ``Basic base64(user:TOKEN)`` as every client makes it of ``HTTPS_PROXY=http://agent:TOKEN@host``;
the user is of no meaning. A header that is there twice is the caller's to refuse: this sees one value.
"""

import base64
import binascii
import re

from gatehold.identity.jose import MAX_TOKEN
from gatehold.identity.refusals import Reason, refused

MAX_USER = 1024
MAX_HEADER = len("Basic ") + (MAX_USER + MAX_TOKEN) * 4 // 3 + 4
"""Characters; longer values are refused unread."""

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def token_from(value: str | None) -> str | None:
    """The token that a header value carries; None if there is no value or it is of another scheme.

    Raises ``Refusal`` (``malformed``, ``too-large``) if it is Bearer or Basic and carries no readable token.
    """
    if value is None:
        return None
    if len(value) > MAX_HEADER:
        raise refused(Reason.TOO_LARGE)
    scheme, _, rest = value.strip(" \t").partition(" ")
    credentials = rest.strip(" \t")
    match scheme.lower():
        case "bearer":
            return _token(credentials)
        case "basic":
            return _token(_password(credentials))
        case _:
            return None


def _password(credentials: str) -> str:
    """RFC 7617: what follows the first colon."""
    try:
        pair = base64.b64decode(credentials.encode("ascii"), validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        raise refused(Reason.MALFORMED) from None
    return pair.partition(":")[2]


def _token(text: str) -> str:
    if not _TOKEN68.fullmatch(text):
        raise refused(Reason.MALFORMED)
    if len(text) > MAX_TOKEN:
        raise refused(Reason.TOO_LARGE)
    return text
