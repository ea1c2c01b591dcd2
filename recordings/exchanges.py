"""A record as what was asked and answered, read by mitmproxy's own reader of flow files."""

from dataclasses import dataclass, field
from io import BytesIO

from mitmproxy import http
from mitmproxy.exceptions import FlowReadException
from mitmproxy.io import FlowReader

from recordings.errors import RecordUnreadable
from recordings.flows import Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or a response, as it was kept: masked, without credentials."""

    line: str
    """``GET /customers/7 HTTP/2.0``, ``200 OK``."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    """Without content encoding; None: it was not kept."""

    @property
    def content_type(self) -> str:
        """As the header says; empty where there is none."""
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One flow of a record."""

    request: Message
    response: Message | None
    error: str
    """How it broke off; empty where it did not."""
    spoken: tuple[Spoken, ...] = field(repr=False)
    """WebSocket messages."""
    close_code: int | None


def exchanges(record: bytes) -> list[Exchange]:
    """The HTTP flows of a record. Raises RecordUnreadable where it is none."""
    return [_exchange(flow) for flow in http_flows(record)]


def http_flows(record: bytes) -> list[http.HTTPFlow]:
    """The same as mitmproxy's own objects. Raises RecordUnreadable."""
    try:
        return [flow for flow in FlowReader(BytesIO(record)).stream() if isinstance(flow, http.HTTPFlow)]
    except (FlowReadException, ValueError, TypeError, KeyError) as error:
        raise RecordUnreadable("the record cannot be read as flows") from error


def _exchange(flow: http.HTTPFlow) -> Exchange:
    socket = flow.websocket
    said = () if socket is None else socket.messages
    return Exchange(
        request=_request(flow.request),
        response=None if flow.response is None else _response(flow.response),
        error=flow.error.msg if flow.error else "",
        spoken=tuple(
            Spoken(time=each.timestamp, from_client=each.from_client, content=each.content, is_text=each.is_text)
            for each in said
        ),
        close_code=None if socket is None else socket.close_code,
    )


def _request(request: http.Request) -> Message:
    line = f"{request.method} {request.path} {request.http_version}"
    return Message(line=line, headers=_fields(request.headers), body=request.raw_content)


def _response(response: http.Response) -> Message:
    line = f"{response.status_code} {response.reason}".rstrip()
    return Message(line=line, headers=_fields(response.headers), body=response.raw_content)


def _fields(headers: http.Headers) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items(multi=True))
