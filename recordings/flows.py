"""One HTTP flow as bytes of mitmproxy's flow format (version 21: typed netstrings of ``HTTPFlow.get_state()``).

The stock way, ``flow.copy()`` and ``FlowWriter``, costs more than everything else that happens to a call. This encoder
reads the live flow without copying or changing it, and writes what ``FlowWriter`` would write for the *redacted* flow:

- bodies, paths and headers are those that the caller hands over, masked;
- values of header fields that carry credentials are replaced, whoever set them;
- certificates, trailers, backups and marks of interception are left out;
- WebSocket messages are those that the caller hands over, masked;
- metadata is the caller's alone: other addons put passwords there.

The states of the two connections are encoded once and kept for as long as the connections live unchanged.
"""

import copy
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final
from weakref import WeakKeyDictionary

from mitmproxy import http, version
from mitmproxy.connection import Client, Connection
from mitmproxy.io import FlowReader

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
_OVERHEAD: Final = 200
"""Bytes that a message takes besides its content."""
_TEXT: Final = 1
_BINARY: Final = 2
"""Type of a WebSocket message (RFC 6455, 5.2)."""
_SUBPROTOCOL: Final = b"sec-websocket-protocol"
_BEARER: Final = re.compile(rb"(bearer[^,\s]*\.)[^.,\s]+", re.IGNORECASE)
"""``base64url.bearer.authorization.k8s.io.TOKEN``: only the token goes, the other protocols are needed to replay."""


@dataclass(slots=True, kw_only=True)
class RecordedMessage:
    """What may be kept of a request or response where it differs from the live one."""

    body: bytes | None = field(repr=False)
    """Masked. None: not kept."""
    headers: Fields | None = field(default=None, repr=False)
    """Masked. None: the live ones are (credentials are hidden in either)."""
    path: str | None = field(default=None, repr=False)
    """Of requests: origin form, masked. None: the live one is."""
    decoded: bool = False
    """The body has no content encoding any more, whatever the headers say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One WebSocket message of a record."""

    time: float
    """Unix seconds."""
    from_client: bool
    content: bytes = field(repr=False)
    """Masked."""
    is_text: bool = False
    """Of a text message; else of a binary one."""


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """The WebSocket messages of one record, and how the connection ended if it did."""

    messages: list[Spoken] = field(default_factory=list, repr=False)
    closed_by_client: bool | None = None
    close_code: int | None = None
    ended: float | None = None
    """Unix seconds."""
    size: int = field(default=0, compare=False)
    """About how many bytes of memory the messages that were added take."""

    def add(self, message: Spoken) -> None:
        """One more message."""
        self.messages.append(message)
        self.size += len(message.content) + _OVERHEAD

    def clear(self) -> None:
        """Forget the messages."""
        self.messages.clear()
        self.size = 0


def encode_flow(  # noqa: PLR0913 (the parts of a flow)
    flow: http.HTTPFlow,
    *,
    request: RecordedMessage | None = None,
    response: RecordedMessage | None = None,
    metadata: Mapping[str, Any],
    comment: str = "",
    marked: str = "",
    secret_headers: Collection[bytes] = (),
    part: int = 1,
    dialogue: Dialogue | None = None,
) -> bytes:
    """The record that a flow file gets for this flow.

    Where ``request`` or ``response`` is None, that message stands in the flow as it may be kept (credential headers
    are hidden all the same). ``secret_headers`` are further names, lower case. ``metadata`` has to be JSON-like, else
    ``TypeError``. A stream that is kept in pieces numbers them by ``part``: each gets an id of its own, since mitmweb
    shows one flow per id.
    """
    secret = CREDENTIAL_HEADERS.union(secret_headers) if secret_headers else CREDENTIAL_HEADERS
    answer = b"0:~" if flow.response is None else _response(flow.response, response, secret)
    return members(
        _HEAD,
        b"2:id;",
        dump(flow.id if part <= 1 else str(uuid.uuid5(uuid.NAMESPACE_OID, f"{flow.id}/{part}"))),
        b"5:error;",
        dump(flow.error.get_state() if flow.error else None),
        b"11:client_conn;",
        _connection(flow.client_conn),
        b"11:server_conn;",
        _connection(flow.server_conn),
        b"9:is_replay;",
        dump(flow.is_replay),
        b"6:marked;",
        dump(marked),
        b"8:metadata;",
        dump(metadata),
        b"7:comment;",
        dump(comment),
        b"17:timestamp_created;",
        dump(flow.timestamp_created),
        b"7:request;",
        _request(flow.request, request, secret),
        b"8:response;",
        answer,
        b"9:websocket;",
        dump(None if dialogue is None else _dialogue(dialogue)),
    )


def dialogues(record: bytes) -> list[Dialogue]:
    """The WebSocket messages in the flows of a record; raises ``FlowReadException`` where it is none."""
    return [
        Dialogue(
            messages=[
                Spoken(time=each.timestamp, from_client=each.from_client, content=each.content, is_text=each.is_text)
                for each in flow.websocket.messages
            ],
            closed_by_client=flow.websocket.closed_by_client,
            close_code=flow.websocket.close_code,
            ended=flow.websocket.timestamp_end,
        )
        for flow in FlowReader(BytesIO(record)).stream()
        if isinstance(flow, http.HTTPFlow) and flow.websocket is not None
    ]


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


def _dialogue(dialogue: Dialogue) -> dict[str, Any]:
    """As ``WebSocketData.get_state()``."""
    return {
        "messages": [
            (_TEXT if each.is_text else _BINARY, each.from_client, each.content, each.time, False, False)
            for each in dialogue.messages
        ],
        "closed_by_client": dialogue.closed_by_client,
        "close_code": dialogue.close_code,
        "close_reason": None,
        "timestamp_end": dialogue.ended,
    }


def _request(message: http.Request, recorded: RecordedMessage | None, secret: Collection[bytes]) -> bytes:
    data = message.data
    path = data.path
    if recorded is not None and recorded.path is not None:
        path = recorded.path.encode("utf-8", "surrogateescape")
    return members(
        *_contents(message, recorded, secret),
        b"4:path;",
        dump(path),
        *_times(message),
        same_members(_REQUEST, data.http_version, data.host, data.port, data.method, data.scheme, data.authority),
    )


def _response(message: http.Response, recorded: RecordedMessage | None, secret: Collection[bytes]) -> bytes:
    data = message.data
    return members(
        *_contents(message, recorded, secret),
        *_times(message),
        same_members(_RESPONSE, data.http_version, data.status_code, data.reason),
    )


_REQUEST: Final = ("http_version", "host", "port", "method", "scheme", "authority")
_RESPONSE: Final = ("http_version", "status_code", "reason")


def _contents(
    message: http.Message, recorded: RecordedMessage | None, secret: Collection[bytes]
) -> tuple[bytes, bytes, bytes, bytes]:
    """Headers, body, and no trailers."""
    headers: Fields = message.headers.fields
    content = message.data.content
    if recorded is not None:
        content = recorded.body
        headers = recorded.headers if recorded.headers is not None else headers
        headers = _identity(headers, content) if recorded.decoded else headers
    return b"7:headers;", fields(scrub(headers, secret)), b"8:trailers;0:~7:content;", dump(content)


def _times(message: http.Message) -> tuple[bytes, bytes, bytes, bytes]:
    data = message.data
    return b"15:timestamp_start;", dump(data.timestamp_start), b"13:timestamp_end;", dump(data.timestamp_end)


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


_connections: Final[WeakKeyDictionary[Connection, tuple[tuple[Any, ...], bytes]]] = WeakKeyDictionary()


def _connection(connection: Connection) -> bytes:
    """A connection's state without certificates, encoded again only after something in it has changed."""
    now = tuple(vars(connection).values())
    known = _connections.get(connection)
    if known is not None and known[0] == now:
        return known[1]
    bare = copy.copy(connection)
    bare.certificate_list = ()
    if isinstance(bare, Client):
        bare.mitmcert = None
    encoded = dump(bare.get_state())
    _connections[connection] = (now, encoded)
    return encoded
