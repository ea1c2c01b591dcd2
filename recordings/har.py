"""Flows of records as one HAR 1.2 document (http://www.softwareishard.com/blog/har-12-spec/).

The entries are mitmproxy's own; what it leaves out or has other words for than the format is put right. What the format
has no word for stands under ``_gatehold``. One entry at a time is in memory.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any, Final

from mitmproxy import http
from mitmproxy.addons.savehar import SaveHar
from mitmproxy.connection import Server

_UNKNOWN: Final = -1
_INPUT: Final = "input"
"""Of a flow's metadata: what it was judged by, for the policy tools; as long as a request."""


def har(flows: Iterable[http.HTTPFlow]) -> Iterator[str]:
    """The document in pieces, ASCII. Bodies, and texts of WebSockets, that are not UTF-8 are base64."""
    creator = {"name": "Gatehold", "version": version("gatehold")}
    yield f'{{"log": {{"version": "1.2", "creator": {json.dumps(creator)}, "pages": [], "entries": ['
    writer, servers = SaveHar(), set[Server]()
    for number, flow in enumerate(flows):
        entry = _entry(flow, _written(flow, writer, servers))
        yield f"{',' if number else ''}\n{json.dumps(entry)}"
    yield "\n]}}\n"


def _written(flow: http.HTTPFlow, writer: SaveHar, servers: set[Server]) -> dict[str, Any]:
    """mitmproxy's entry; where it cannot take a part of a message to pieces, the entry has that part as it came."""
    try:
        return dict(writer.flow_entry(flow, servers))
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
        entry: dict[str, Any] = writer.flow_entry(_plain(flow), servers)
    for message, told in ((flow.request, entry["request"]), (flow.response, entry["response"])):
        if message is not None:
            told["headers"] = [{"name": name, "value": value} for name, value in message.headers.items(multi=True)]
    return entry


def _plain(flow: http.HTTPFlow) -> http.HTTPFlow:
    """A copy without what agents and targets choose freely."""
    plain: http.HTTPFlow = flow.copy()
    plain.server_conn = Server(address=None)
    plain.request.data.host, plain.request.data.path = "host", b"/"
    for message in (plain.request, plain.response):
        if message is not None:
            message.headers, message.raw_content = http.Headers(), None
    for said in plain.websocket.messages if plain.websocket else ():
        said.content = said.content.decode("utf-8", "replace").encode() if said.is_text else said.content
    return plain


def own_words(flow: http.HTTPFlow) -> dict[str, Any]:
    """What a record says of the decision, without its input."""
    own = flow.metadata.get("gatehold")
    return {key: value for key, value in own.items() if key != _INPUT} if isinstance(own, dict) else {}


def _entry(flow: http.HTTPFlow, entry: dict[str, Any]) -> dict[str, Any]:
    request, response = entry["request"], entry["response"]
    request["url"] = flow.request.url  # and not what its Host says
    request["headersSize"] = response["headersSize"] = _UNKNOWN  # they were masked
    request.pop("postData", None)
    if content := flow.request.raw_content:
        request["postData"] = {"mimeType": flow.request.headers.get("Content-Type", ""), **_told(content)}
    if flow.response is None:
        response["content"] = {"size": 0, "mimeType": ""}
    else:
        content = flow.response.raw_content or b""
        response["content"] |= {"encoding": "", **_told(content, "encoding")}
        if not response["content"]["encoding"]:
            del response["content"]["encoding"]
    for name in ("send", "wait", "receive"):
        entry["timings"][name] = max(0, entry["timings"][name])
    entry["time"] = sum(max(0, value) for value in entry["timings"].values())
    for message in entry.get("_webSocketMessages", ()):
        message["data"] = message["data"].encode("utf-8", "replace").decode()
    return entry | {"comment": flow.comment, "_gatehold": own_words(flow)}


def _told(content: bytes, encoding: str = "_encoding") -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(content).decode(), encoding: "base64"}
