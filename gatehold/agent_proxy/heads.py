"""Heads of HTTP/1 messages (RFC 9112), as far as a forwarder has to know them. Pure.

What has more than one reading is refused, not passed on: bare line ends, folded lines, spaces before a colon.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

END = b"\r\n\r\n"
MAX_HEAD = 64 * 1024
"""Bytes of a head, its end included."""

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.[01]")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n\x00]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\x00]*)")
_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@]+):[0-9]{1,5}")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://[^/?#]+.*")
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"})

type Field = tuple[bytes, bytes]


class Unreadable(Exception):
    """A head that is none, or has more than one reading. Its text may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of a client's request."""

    line: bytes
    is_connect: bool
    fields: tuple[Field, ...]

    def forwarded(self, authorization: str) -> bytes:
        """The head for the gateway: with this Proxy-Authorization and no other; one request for each connection."""
        kept = [field for field in self.fields if field[0].lower() not in _HOP_BY_HOP]
        kept.append((b"Proxy-Authorization", b" " + authorization.encode("ascii")))
        if not self.is_connect:
            kept.append((b"Connection", b" close, upgrade" if self._upgrades else b" close"))
        return _head(self.line, kept)

    @property
    def _upgrades(self) -> bool:
        options = b",".join(value for name, value in self.fields if name.lower() == b"connection")
        return b"upgrade" in {option.strip().lower() for option in options.split(b",")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The head of the gateway's answer."""

    line: bytes
    status: int
    fields: tuple[Field, ...]

    @property
    def is_interim(self) -> bool:
        """Does another head follow?"""
        return 100 <= self.status < 200 and self.status != 101

    def forwarded(self) -> bytes:
        """The head for the client; unless protocols are switched, the connection ends with this answer."""
        if self.is_interim or self.status == 101:
            return _head(self.line, self.fields)
        kept = [field for field in self.fields if field[0].lower() not in _HOP_BY_HOP]
        return _head(self.line, [*kept, (b"Connection", b" close")])


def read_request(head: bytes) -> Request:
    """A request to a proxy: CONNECT, or one with an absolute URL. Raises Unreadable."""
    line, fields = _split(head)
    match = _REQUEST.fullmatch(line)
    if match is None:
        raise Unreadable("this is not a request of HTTP/1.1")
    is_connect = match[1] == b"CONNECT"
    if not (_AUTHORITY if is_connect else _ABSOLUTE).fullmatch(match[2]):
        raise Unreadable("this is a proxy: it takes CONNECT host:port, or a request with an absolute URL")
    return Request(line=line, is_connect=is_connect, fields=fields)


def read_response(head: bytes) -> Response:
    """An answer of the gateway. Raises Unreadable."""
    line, fields = _split(head)
    match = _STATUS.fullmatch(line)
    if match is None:
        raise Unreadable("the gateway does not speak HTTP/1.1")
    return Response(line=line, status=int(match[1]), fields=fields)


def problem(status: int, code: str, detail: str) -> bytes:
    """A whole answer of the forwarder's own (RFC 9457)."""
    reason = {400: "Bad Request", 502: "Bad Gateway", 503: "Service Unavailable"}[status]
    body = json.dumps({"title": reason, "status": status, "detail": f"agent-proxy: {detail}", "code": code}).encode()
    fields = [
        (b"Content-Type", b" application/problem+json"),
        (b"Content-Length", b" %d" % len(body)),
        (b"Cache-Control", b" no-store"),
        (b"Connection", b" close"),
    ]
    return _head(b"HTTP/1.1 %d %s" % (status, reason.encode()), fields) + body


def _split(head: bytes) -> tuple[bytes, tuple[Field, ...]]:
    """The first line and the fields of a head that ends in an empty line."""
    if not head.endswith(END) or len(head) > MAX_HEAD:
        raise Unreadable("the head does not end")
    line, *lines = head[: -len(END)].split(b"\r\n")
    fields = [_FIELD.fullmatch(each) for each in lines]
    if not all(fields):
        raise Unreadable("a header line has no single reading")
    return line, tuple((match[1], match[2]) for match in fields if match)


def _head(line: bytes, fields: Iterable[Field]) -> bytes:
    return b"\r\n".join([line, *(name + b":" + value for name, value in fields)]) + END
