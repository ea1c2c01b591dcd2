"""What every request has to keep to before it is read, and its headers by name.

Servers that pass headers on as environment variables take ``Content_Type`` for ``Content-Type``. So a header counts
under its folded name (lower case, ``-`` for ``_``) wherever its presence decides something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policy.actions.paths import malformed
from policy.model import UNKNOWN, Maybe, WireRequest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OVERRIDES = frozenset(
    {"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"}
)
"""Headers by which some servers take another method or path than the request line's."""
CREDENTIALS = frozenset(
    {
        *("authorization", "proxy-authorization", "authentication", "cookie", "cookie2", "set-cookie"),
        *("x-api-key", "api-key", "apikey", "x-goog-api-key", "x-auth-token", "x-access-token", "x-amz-security-token"),
        *("private-token", "job-token", "x-gitlab-token", "x-vault-token", "x-csrf-token", "x-xsrf-token"),
        *("x-forwarded-access-token", "x-forwarded-client-cert", "sec-websocket-protocol"),
    }
)
"""Headers that carry credentials; no rule sees them and no reason quotes them."""

type Fields = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """The headers of one request."""

    fields: Fields = field(repr=False)
    """Values by lower-case name, credentials left out."""
    names: frozenset[str]
    """Every folded name that was sent."""
    content_type: Maybe[str]
    """The one value of Content-Type; empty where there is none, unknown where there are several."""
    upgrade: str
    """What Upgrade asks for; empty where it does not."""

    @property
    def encoded(self) -> bool:
        """Whether the body is said to be encoded; it is not decoded then."""
        return "content-encoding" in self.names


def read_headers(request: WireRequest) -> Headers:
    """The headers of a request whose method and framing are in order; raises ``Refusal`` (malformed)."""
    if request.method not in METHODS:
        malformed("the method is not one of " + ", ".join(sorted(METHODS)))
    sent: Fields = {}
    for name, value in request.headers:
        key = name.lower()
        sent[key] = (*sent[key], value) if key in sent else (value,)
    folded = _by_folded_name(sent)
    if not OVERRIDES.isdisjoint(folded):
        malformed("the method or path is overridden by a header")
    if request.method in {"GET", "HEAD"} and (request.body or _announces_body(folded)):
        malformed(f"a {request.method} request has a body")
    return Headers(
        fields={name: values for name, values in sent.items() if fold(name) not in CREDENTIALS},
        names=frozenset(folded),
        content_type=_content_type(sent, folded),
        upgrade=", ".join(folded.get("upgrade", ())),
    )


def fold(name: str) -> str:
    """The name under which the header counts."""
    return name.strip().replace("_", "-")


def _by_folded_name(sent: Fields) -> Fields:
    folded: Fields = {}
    for name, values in sent.items():
        key = fold(name)
        folded[key] = (*folded.get(key, ()), *values)
    return folded


def _announces_body(folded: Mapping[str, tuple[str, ...]]) -> bool:
    lengths = folded.get("content-length", ())
    return "transfer-encoding" in folded or any(length.strip() != "0" for length in lengths)


def _content_type(sent: Fields, folded: Fields) -> Maybe[str]:
    values = folded.get("content-type", ())
    if not values:
        return ""
    if len(values) > 1 or sent.get("content-type") != values:
        return UNKNOWN
    return values[0].strip(" \t")
