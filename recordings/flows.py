"""Live flows for the record, and the WebSocket messages of recorded ones.

The stock way, ``flow.copy()`` and ``FlowWriter``, costs more than everything else that happens to a call. Here what
may be kept of a live flow is picked without copying or changing it; ``recordings.flow_parts`` makes bytes of it, those
that ``FlowWriter`` would write for the *redacted* flow:

- bodies, paths and headers are those that the caller hands over, masked;
- values of header fields that carry credentials are replaced, whoever set them;
- certificates, trailers, backups and marks of interception are left out;
- WebSocket messages are those that the caller hands over, masked;
- metadata is the caller's alone: other addons put passwords there.

The states of the two connections are encoded once and kept for as long as the connections live unchanged.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final
from weakref import WeakKeyDictionary

from mitmproxy import http
from mitmproxy.connection import Client, Connection
from mitmproxy.io import FlowReader

from recordings.flow_parts import Fields, FlowParts, RequestParts, ResponseParts
from recordings.netstrings import dump

_OVERHEAD: Final = 200
"""Bytes that a message takes besides its content."""
_TEXT: Final = 1
_BINARY: Final = 2
"""Type of a WebSocket message (RFC 6455, 5.2)."""


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


def flow_parts(  # noqa: PLR0913 (the parts of a flow)
    flow: http.HTTPFlow,
    *,
    request: RecordedMessage | None = None,
    response: RecordedMessage | None = None,
    metadata: Mapping[str, Any] | None = None,
    comment: str = "",
    marked: str = "",
    remarks: dict[str, Any] | None = None,
    secret_headers: Collection[bytes] = (),
    part: int = 1,
    dialogue: Dialogue | None = None,
) -> FlowParts:
    """What the recorder is given of this flow.

    Where ``request`` or ``response`` is None, that message stands in the flow as it may be kept (credential headers
    are hidden all the same). ``secret_headers`` are further names, lower case. ``metadata`` has to be JSON-like;
    instead of it and of ``comment`` and ``marked``, ``remarks`` may say what ``annotate`` makes them of. A stream that
    is kept in pieces numbers them by ``part``: each gets an id of its own, since mitmweb shows one flow per id.
    """
    return FlowParts(
        id=flow.id,
        part=part,
        error=flow.error.get_state() if flow.error else None,
        client=_connection(flow.client_conn),
        server=_connection(flow.server_conn),
        is_replay=flow.is_replay,
        marked=marked,
        metadata=metadata or {},
        comment=comment,
        created=flow.timestamp_created,
        request=_request(flow.request, request),
        response=_response(flow.response, response) if flow.response is not None else None,
        websocket=None if dialogue is None else _dialogue(dialogue),
        remarks=remarks,
        secret_headers=tuple(secret_headers),
    )


def encode_flow(flow: http.HTTPFlow, **remarks: Any) -> bytes:
    """The record that a flow file gets for this flow; ``remarks`` are those of ``flow_parts``."""
    return flow_parts(flow, **remarks).encoded()


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


def _request(message: http.Request, recorded: RecordedMessage | None) -> RequestParts:
    data = message.data
    return RequestParts(
        *_contents(message, recorded),
        data.path if recorded is None or recorded.path is None else recorded.path,
        data.timestamp_start,
        data.timestamp_end,
        data.http_version,
        data.host,
        data.port,
        data.method,
        data.scheme,
        data.authority,
    )


def _response(message: http.Response, recorded: RecordedMessage | None) -> ResponseParts:
    data = message.data
    return ResponseParts(
        *_contents(message, recorded),
        data.timestamp_start,
        data.timestamp_end,
        data.http_version,
        data.status_code,
        data.reason,
    )


def _contents(message: http.Message, recorded: RecordedMessage | None) -> tuple[Fields, bytes | None, bool]:
    """Header fields, body, and whether that is without its coding."""
    headers: Fields = message.headers.fields
    if recorded is None:
        return headers, message.data.content, False
    return headers if recorded.headers is None else recorded.headers, recorded.body, recorded.decoded


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
