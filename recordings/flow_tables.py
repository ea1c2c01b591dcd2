"""Flows of records for programs and spreadsheets: a line of JSON each, or a row of a table; without line feeds."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mitmproxy import http

from recordings.exporting import harmless, joined
from recordings.har import own_words
from recordings.moments import timestamp

COLUMNS: Final = (
    *("time", "decision", "session", "issuer", "agent", "target", "method", "url", "status", "verdict", "code"),
    *("rule", "approval", "masked", "part", "milliseconds", "request_bytes", "response_bytes", "content_type", "error"),
)


def json_lines(flows: Iterable[http.HTTPFlow]) -> Iterator[str]:
    """An object for each flow: words of the decision, ``request``, ``response`` or null; ``messages`` of WebSockets."""
    return (json.dumps(_document(flow)) for flow in flows)


def table(flows: Iterable[http.HTTPFlow]) -> Iterator[str]:
    """RFC 4180 with a head, in the order of ``COLUMNS``; no cell is a formula."""
    yield joined(COLUMNS)
    for flow in flows:
        yield joined(harmless(cell) for cell in _cells(flow))


def _document(flow: http.HTTPFlow) -> dict[str, Any]:
    request, response = flow.request, flow.response
    asked = {"method": request.method, "url": request.url, **_message(request)}
    answered = None if response is None else {"status": response.status_code, **_message(response)}
    own = own_words(flow)
    document = {"time": timestamp(request.timestamp_start), "milliseconds": _milliseconds(flow), **own}
    document |= {"request": asked, "response": answered}
    if flow.error:
        document["error"] = flow.error.msg
    if flow.websocket is not None:
        document["messages"] = [
            {
                "time": timestamp(each.timestamp),
                "from": "agent" if each.from_client else "target",
                **_content(each.content, is_text=each.is_text),
            }
            for each in flow.websocket.messages
        ]
    return document


def _message(message: http.Message) -> dict[str, Any]:
    told: dict[str, Any] = {
        "httpVersion": message.http_version,
        "headers": [[name, value] for name, value in message.headers.items(multi=True)],
    }
    content = message.raw_content
    return told if content is None else told | {"body": _content(content)}


def _content(content: bytes, *, is_text: bool = False) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8", "replace" if is_text else "strict")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _cells(flow: http.HTTPFlow) -> tuple[str, ...]:
    request, response, own = flow.request, flow.response, own_words(flow)
    masked = " ".join(f"{entity}:{count}" for entity, count in sorted(own.get("masked", {}).items()))
    status = "" if response is None else str(response.status_code)
    media = "" if response is None else response.headers.get("content-type", "")
    took = _milliseconds(flow)
    sizes = [_size(request), "" if response is None else _size(response)]
    words = (str(own.get(key, "")) for key in ("decision", "session", "issuer", "agent", "target"))
    said = (str(own.get(key, "")) for key in ("verdict", "code", "rule", "approval"))
    rest = (masked, str(own.get("part", "")), "" if took is None else str(took), *sizes, media)
    time = timestamp(request.timestamp_start)
    error = flow.error.msg if flow.error else ""
    return (time, *words, request.method, request.url, status, *said, *rest, error)


def _milliseconds(flow: http.HTTPFlow) -> int | None:
    """From the begin of the request to the end of the answer; None where it has no end."""
    end = flow.response.timestamp_end if flow.response else None
    return None if end is None else max(0, round((end - flow.request.timestamp_start) * 1000))


def _size(message: http.Message) -> str:
    return "" if message.raw_content is None else str(len(message.raw_content))
