"""Base64 in a text: runs of it that hold a text themselves (RFC 4648, both alphabets, with and without padding)."""

import base64
import binascii
import re
from collections.abc import Iterator

_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}")


def texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Spans of the runs in ``text`` that decode to something readable, each with what it decodes to."""
    if len(text) < 16:
        return
    for match in _RUN.finditer(text):
        inner = _unpack(match[0])
        if inner:
            yield match.start(), match.end(), inner


def _unpack(run: str) -> str:
    """The text in a run of base64; empty when there is none."""
    if run == run.lower() or run == run.upper():
        return ""
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return ""
    try:
        text = base64.b64decode(body + "=" * (-len(body) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if all(character.isprintable() or character in "\t\n\r" for character in text) else ""


def pack(text: str, *, like: str) -> str:
    """The base64 of ``text``, in the alphabet and with the padding of ``like``."""
    packed = base64.b64encode(text.encode()).decode()
    if "-" in like or "_" in like:
        packed = packed.replace("+", "-").replace("/", "_")
    return packed if like.endswith("=") or len(like) % 4 == 0 else packed.rstrip("=")
