"""The WebSocket handshake, made anew for either side of the gateway (RFC 6455, 4).

What the agent offers is read once: its key, and those of its subprotocols that the gateway can follow. Towards the
target goes a handshake of the gateway's own, without extensions; a compressed frame could become a thousand times as
long. Only an answer that fits that handshake opens a tunnel, and the agent gets an answer made for its own key.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from mitmproxy import http

from policy.codes import Code
from policy.errors import Refusal

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PORTFORWARD = "SPDY/3.1+portforward.k8s.io"
PROTOCOLS = {"exec": (V5, V4), "attach": (V5, V4), "portforward": (PORTFORWARD,)}
"""Subprotocols by subresource. An agent's own key can hide among those that it offers
(``base64url.bearer.authorization.k8s.io.TOKEN``): only what stands here goes on."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9.+_-]{0,31}")
_TELLING = re.compile(r"(?i)key|token|auth|bearer|secret|session|ticket|[0-9a-f]{12}")
"""In the name of a subprotocol: it carries, or announces, a credential."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake with either side."""

    key: str
    """The agent's Sec-WebSocket-Key."""
    protocols: tuple[str, ...]
    """Offered by the agent and known here, in its order."""
    is_free: bool = False
    """Neither side has to name a subprotocol."""
    own_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
    """What goes to the target in its place."""

    def request_fields(self) -> list[tuple[bytes, bytes]]:
        """Header fields of the request to the target."""
        return [
            (b"Connection", b"Upgrade"),
            (b"Upgrade", b"websocket"),
            (b"Sec-WebSocket-Version", b"13"),
            (b"Sec-WebSocket-Key", self.own_key.encode()),
            *_protocol_field(", ".join(self.protocols)),
        ]

    def switch(self, response: http.Response) -> None:
        """Make the target's 101 the agent's; raises Refusal where it does not fit what was asked."""
        headers = response.headers
        if response.status_code != 101 or headers.get("upgrade", "").strip().lower() != "websocket":
            raise _unfit("the target switched to another protocol")
        accept = headers.get("sec-websocket-accept", "").strip()
        if not hmac.compare_digest(accept.encode("utf-8", "replace"), _accept(self.own_key).encode()):
            raise _unfit("the target did not accept the handshake")
        protocol = headers.get("sec-websocket-protocol", "")
        if protocol not in self.protocols and (protocol or not self.is_free):
            raise _unfit("the target chose a subprotocol that was not offered")
        if "sec-websocket-extensions" in headers:
            raise _unfit("the target chose an extension that was not offered")
        response.reason = "Switching Protocols"  # the target's own could say anything
        response.headers = http.Headers(
            [
                (b"Connection", b"Upgrade"),
                (b"Upgrade", b"websocket"),
                (b"Sec-WebSocket-Accept", _accept(self.key).encode()),
                *_protocol_field(protocol),
            ]
        )


def read_free_handshake(request: http.Request) -> Handshake:
    """What an agent offers to a target whose messages need no subprotocol. Raises Refusal ``malformed``.

    Of the subprotocols those go on that do not look like a key: some clients put theirs there.
    """
    key, offered = _read(request)
    plain = (each for each in offered if _PLAIN.fullmatch(each) and not _TELLING.search(each))
    return Handshake(key=key, protocols=tuple(dict.fromkeys(plain)), is_free=True)


def read_handshake(request: http.Request, protocols: Sequence[str]) -> Handshake:
    """What an agent offers; ``protocols`` are those that the gateway can follow. Raises Refusal ``malformed``."""
    key, offered = _read(request)
    known = tuple(dict.fromkeys(each for each in offered if each in protocols))
    if not known:
        raise _malformed(f"none of the WebSocket subprotocols {', '.join(protocols)} is offered")
    return Handshake(key=key, protocols=known)


def _protocol_field(protocols: str) -> list[tuple[bytes, bytes]]:
    return [(b"Sec-WebSocket-Protocol", protocols.encode())] if protocols else []


def _read(request: http.Request) -> tuple[str, list[str]]:
    """The key of a handshake, and the subprotocols that it offers."""
    headers = request.headers
    if request.method != "GET" or request.raw_content:
        raise _malformed("a WebSocket begins with a GET without a body")
    tokens = {token.strip().lower() for value in headers.get_all("connection") for token in value.split(",")}
    if "upgrade" not in tokens:
        raise _malformed("the Connection header does not name the upgrade")
    if headers.get_all("sec-websocket-version") != ["13"]:
        raise _malformed("WebSocket version 13 is required")
    keys = headers.get_all("sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        raise _malformed("exactly one WebSocket key of 16 bytes is required")
    return keys[0].strip(), [
        each.strip() for value in headers.get_all("sec-websocket-protocol") for each in value.split(",")
    ]


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.strip(), validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _accept(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _malformed(detail: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"malformed request: {detail}")


def _unfit(detail: str) -> Refusal:
    return Refusal(Code.UPSTREAM_UNAVAILABLE, detail)
