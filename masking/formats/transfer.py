"""Transfer encodings of parts (RFC 2045, 6), on texts with one character per byte (latin-1)."""

import base64
import quopri
import re

from masking.errors import Unmaskable

_PRINTABLE = re.compile(r"(?:[\t -<>-~]|=[0-9A-Fa-f]{2}|=[ \t]*+\r\n|\r\n)*+")
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
_WIDTH = 76


def is_plain(encoding: str) -> bool:
    """Whether the content stands as it is."""
    return encoding.lower() in _PLAIN


def decoded(content: str, encoding: str) -> str:
    """A content without its transfer encoding; raises ``Unmaskable`` when that is unknown or damaged."""
    name = encoding.lower()
    if name in _PLAIN:
        return content
    if name == "base64":
        return _unpacked(content)
    if name == "quoted-printable" and _PRINTABLE.fullmatch(content):
        return quopri.decodestring(content.encode("latin-1")).decode("latin-1")
    raise Unmaskable("transfer encoding is not supported")


def encoded(content: str, encoding: str) -> str:
    """The other way round."""
    octets = content.encode("latin-1")
    match encoding.lower():
        case "base64":
            packed = base64.b64encode(octets).decode()
            return "\r\n".join(packed[at : at + _WIDTH] for at in range(0, len(packed), _WIDTH))
        case "quoted-printable":
            return "\r\n".join(_quoted(line) for line in octets.split(b"\r\n"))
        case _:
            return content


def _unpacked(content: str) -> str:
    try:
        return base64.b64decode(re.sub(r"[ \t]*\r\n", "", content), validate=True).decode("latin-1")
    except ValueError:
        raise Unmaskable("a part is not valid base64") from None


def _quoted(line: bytes) -> str:
    lines, width = [""], 0
    for at, octet in enumerate(line):
        bare = (33 <= octet <= 126 and octet != ord("=")) or (octet in b" \t" and at + 1 < len(line))
        written = chr(octet) if bare else f"={octet:02X}"
        width += len(written)
        if width >= _WIDTH:
            lines[-1] += "="
            lines.append("")
            width = len(written)
        lines[-1] += written
    return "\r\n".join(lines)
