"""One HTTP flow as plain values, and as bytes of mitmproxy's flow format (version 21).

The bytes are typed netstrings of what ``HTTPFlow.get_state()`` gives for the *redacted* flow. They are made by the
scribe, in a process of its own: so a flow goes there as a tuple of plain values, and nothing here needs more of
mitmproxy than the number of its format.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mitmproxy import version

from recordings.netstrings import dump, fields, members, same_members

type Fields = Sequence[tuple[bytes, bytes]]

HIDDEN: Final = b"***"
CREDENTIAL_HEADERS: Final = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"authentication-info",
        b"proxy-authentication-info",
        b"cookie",
        b"set-cookie",
        b"set-cookie2",
        b"api-key",
        b"apikey",
        b"x-api-key",
        b"x-apikey",
        b"x-auth-token",
        b"x-access-token",
        b"x-session-token",
        b"x-csrf-token",
        b"x-xsrf-token",
        b"x-amz-security-token",
        b"x-goog-api-key",
        b"x-goog-iap-jwt-assertion",
        b"x-serverless-authorization",
        b"x-forwarded-access-token",
        b"x-functions-key",
        b"x-vault-token",
        b"x-github-token",
        b"x-gitlab-token",
        b"private-token",
        b"job-token",
        b"deploy-token",
        b"ocp-apim-subscription-key",
        b"dd-api-key",
        b"dd-application-key",
    }
)
"""Lower case, with hyphens; a field's underscores count as hyphens."""
_OVERHEAD: Final = 1024
"""Bytes that a flow takes besides its bodies, or more."""
_SUBPROTOCOL: Final = b"sec-websocket-protocol"
_BEARER: Final = re.compile(rb"(bearer[^,\s]*\.)[^.,\s]+", re.IGNORECASE)
"""``base64url.bearer.authorization.k8s.io.TOKEN``: only the token goes, the other protocols are needed to replay."""


class RequestParts(NamedTuple):
    """A request as it may be kept, but for credentials in its header fields."""

    headers: Fields
    body: bytes | None
    is_decoded: bool
    """The body has no content encoding any more, whatever the headers say."""
    path: str | bytes
    started: float
    """Unix seconds."""
    ended: float | None
    http_version: bytes
    host: str
    port: int
    method: bytes
    scheme: bytes
    authority: bytes


class ResponseParts(NamedTuple):
    """A response as it may be kept, but for credentials in its header fields."""

    headers: Fields
    body: bytes | None
    is_decoded: bool
    started: float
    ended: float | None
    http_version: bytes
    status_code: int
    reason: bytes


class FlowParts(NamedTuple):
    """All that a record says of a flow. Its members are plain: ``marshal`` takes them, tuples in place of the named."""

    id: str
    part: int
    """Of a stream that is kept in pieces, from 1."""
    error: dict[str, Any] | None
    client: bytes
    """State of the agent's connection, encoded."""
    server: bytes
    is_replay: str | None
    marked: str
    metadata: Mapping[str, Any]
    comment: str
    created: float
    websocket: dict[str, Any] | None
    remarks: dict[str, Any] | None
    """For ``annotate``, whose remarks then take the place of the three here; None: it has its remarks."""
    secret_headers: tuple[bytes, ...]
    """Names of further header fields to hide, lower case."""
    request: RequestParts
    response: ResponseParts | None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        spoken = sum(len(message[2]) for message in self.websocket["messages"]) if self.websocket else 0
        answered = len(self.response.body or b"") if self.response else 0
        return _OVERHEAD + len(self.request.body or b"") + answered + spoken

    def plain(self) -> tuple[Any, ...]:
        """Without names, for ``marshal``."""
        return (*self[:-2], tuple(self.request), self.response and tuple(self.response))

    @classmethod
    def named(cls, plain: Sequence[Any]) -> "FlowParts":
        """What ``plain`` gave."""
        *others, request, response = plain
        return cls._make([*others, RequestParts(*request), response and ResponseParts(*response)])

    def encoded(self) -> bytes:
        """The record. ``TypeError`` where the metadata are not JSON-like."""
        secret = CREDENTIAL_HEADERS.union(self.secret_headers) if self.secret_headers else CREDENTIAL_HEADERS
        return members(
            _HEAD,
            b"2:id;",
            dump(self.id if self.part <= 1 else str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.id}/{self.part}"))),
            b"5:error;",
            dump(self.error),
            b"11:client_conn;",
            self.client,
            b"11:server_conn;",
            self.server,
            b"9:is_replay;",
            dump(self.is_replay),
            b"6:marked;",
            dump(self.marked),
            b"8:metadata;",
            dump(self.metadata),
            b"7:comment;",
            dump(self.comment),
            b"17:timestamp_created;",
            dump(self.created),
            b"7:request;",
            _request(self.request, secret),
            b"8:response;",
            b"0:~" if self.response is None else _response(self.response, secret),
            b"9:websocket;",
            dump(self.websocket),
        )


def scrub(fields: Fields, secret: Collection[bytes] = CREDENTIAL_HEADERS) -> list[tuple[bytes, bytes]]:
    """Header fields without the values that carry credentials."""
    return [(name, _scrubbed(name.lower().replace(b"_", b"-"), value, secret)) for name, value in fields]


_SAME: Final = {
    "version": version.FLOW_FORMAT_VERSION,
    "type": "http",
    "intercepted": False,
    "backup": None,
}
_HEAD: Final = b"".join(dump(part) for pair in _SAME.items() for part in pair)
_REQUEST: Final = ("http_version", "host", "port", "method", "scheme", "authority")
_RESPONSE: Final = ("http_version", "status_code", "reason")


def _request(parts: RequestParts, secret: Collection[bytes]) -> bytes:
    return members(
        *_contents(parts, secret),
        b"4:path;",
        dump(parts.path if isinstance(parts.path, bytes) else parts.path.encode("utf-8", "surrogateescape")),
        *_times(parts),
        same_members(_REQUEST, *parts[-len(_REQUEST) :]),
    )


def _response(parts: ResponseParts, secret: Collection[bytes]) -> bytes:
    return members(*_contents(parts, secret), *_times(parts), same_members(_RESPONSE, *parts[-len(_RESPONSE) :]))


def _contents(parts: RequestParts | ResponseParts, secret: Collection[bytes]) -> tuple[bytes, bytes, bytes, bytes]:
    """Headers, body, and no trailers."""
    headers = _identity(parts.headers, parts.body) if parts.is_decoded else parts.headers
    return b"7:headers;", fields(scrub(headers, secret)), b"8:trailers;0:~7:content;", dump(parts.body)


def _times(parts: RequestParts | ResponseParts) -> tuple[bytes, bytes, bytes, bytes]:
    return b"15:timestamp_start;", dump(parts.started), b"13:timestamp_end;", dump(parts.ended)


def _scrubbed(name: bytes, value: bytes, secret: Collection[bytes]) -> bytes:
    if name in secret:
        return HIDDEN
    return _BEARER.sub(rb"\1" + HIDDEN, value) if name == _SUBPROTOCOL else value


def _identity(fields: Fields, body: bytes | None) -> Fields:
    """Header fields that are true of a body without content encoding."""
    length = b"%d" % len(body or b"")
    kept = [(name.lower(), name, value) for name, value in fields]
    return [
        (name, length if lower == b"content-length" else value)
        for lower, name, value in kept
        if lower != b"content-encoding"
    ]
