"""Which request headers are refused, which are taken out, and which an agent may send on.

Pure. Names are compared in lower case with all that is neither letter nor digit read as ``-``, because CGI makes ``_``
of it (CVE-2025-64484 is the lesson): what is stripped is stripped in every spelling.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from policy.codes import Code
from policy.errors import Refusal

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer", "trailers",
     "transfer-encoding", "upgrade", "http2-settings", "expect"}
)  # fmt: skip
"""RFC 9110, 7.6.1; never forwarded, each leg has its own."""

CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "cookie2", "x-api-key", "api-key", "x-auth-token",
     "x-access-token", "x-amz-security-token", "x-goog-api-key", "x-vault-token", "private-token", "job-token",
     "x-csrf-token", "x-xsrf-token", "x-gitlab-token", "x-github-token", "x-shopify-access-token",
     "ocp-apim-subscription-key", "apikey", "x-apikey", "authentication", "x-authorization", "x-session-token",
     "x-functions-key", "x-goog-iap-jwt-assertion", "x-serverless-authorization", "deploy-token", "dd-api-key",
     "dd-application-key", "sec-websocket-protocol"}
)  # fmt: skip
"""What agents could use as keys of their own on a governed target."""

_FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "true-client-ip", "x-client-ip", "cf-connecting-ip"})
_REWRITING = frozenset({"x-original-url", "x-rewrite-url", "x-original-host", "x-host", "x-http-host-override"})
_HANDSHAKE_PREFIX = "sec-websocket-"
"""The gateway shakes hands with either side itself."""
_IDENTITY_PREFIXES = ("x-forwarded-", "x-remote-", "x-envoy-", "x-auth-request-", "gatehold-", "x-amzn-oidc-")
_SINGLE = frozenset({"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "authorization",
                     "proxy-authorization", "upgrade", "expect", "range"})  # fmt: skip
_CONNECTION_TOKENS = frozenset({"close", "keep-alive", "te", "upgrade", "http2-settings"})
_JUDGED_UPGRADES = frozenset({b"websocket", b"spdy/3.1"})
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FOLDED = dict.fromkeys(map(ord, "!#$%&'*+.^_`|~"), "-")

type Field = tuple[bytes, bytes]


@lru_cache(4096)
def canonical(name: str) -> str:
    """The spelling under which a header name is judged."""
    return name.lower().translate(_FOLDED)


def check(fields: Sequence[Field], *, upgrades: bool = False) -> None:
    """Refuse headers that two readers could take for different things; raises Refusal ``malformed``.

    ``upgrades``: a switch to WebSocket or SPDY may be asked for, because policy will judge it.
    """
    seen: set[str] = set()
    for raw_name, value in fields:
        if not _NAME.fullmatch(raw_name):
            raise _malformed("a header name holds characters that are not allowed")
        name = canonical(raw_name.decode("ascii"))
        if _CONTROL.search(value):
            raise _malformed(f"the header {name} holds control characters or a folded line")
        if name in _SINGLE:
            if name in seen:
                raise _malformed(f"the header {name} is given more than once")
            seen.add(name)
        if name.startswith("impersonate-"):
            raise _malformed("impersonation headers are not for agents")
        if name == "upgrade" and not (upgrades and value.strip().lower() in _JUDGED_UPGRADES):
            raise _malformed("protocol upgrades are not allowed on this target")
        if name == "connection":
            _check_connection(value)


def _check_connection(value: bytes) -> None:
    tokens = {token.strip().lower() for token in value.decode("latin-1").split(",")}
    if not tokens - {""} <= _CONNECTION_TOKENS:
        raise _malformed("the Connection header names headers to be dropped")


def is_stripped(name: str) -> bool:
    """Is this header taken out of every request before it is forwarded?"""
    name = canonical(name)
    return (
        name in HOP_BY_HOP
        or name in CREDENTIALS
        or name in _FORWARDING
        or name in _REWRITING
        or name.startswith((*_IDENTITY_PREFIXES, _HANDSHAKE_PREFIX))
    )


def forwarded(fields: Iterable[Field]) -> list[Field]:
    """The headers of an agent that may go on, in order, Host left out (it is the target's)."""
    return [
        (name, value)
        for name, value in fields
        if canonical(name.decode("ascii", "replace")) != "host" and not is_stripped(name.decode("ascii", "replace"))
    ]


def _malformed(detail: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"malformed request: {detail}")


def json_accept(value: str) -> str:
    """An Accept header reduced to JSON, the only form whose objects can be masked.

    Kubernetes' variants (``application/json;as=Table;...``) keep their parameters; protobuf, CBOR, YAML and wildcards
    go.
    """
    ranges = [part.strip() for part in value.split(",")]
    kept = [part for part in ranges if part.split(";")[0].strip().lower() == "application/json"]
    return ",".join(kept) or "application/json"


def readable(value: bytes) -> tuple[str, str]:
    """The text of a field's value, and the charset that it is in: UTF-8, else Latin-1 (RFC 9110, 5.5)."""
    try:
        return value.decode(), "utf-8"
    except UnicodeDecodeError:
        return value.decode("latin-1"), "latin-1"
