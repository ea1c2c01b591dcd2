"""Calls to an API over plain HTTP: method, path, query, headers and body."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from policy.actions.bodies import media_type, read_body
from policy.actions.paths import CanonicalPath, canonical
from policy.actions.queries import Query, check_query, read_query
from policy.actions.readings import Once, Reading
from policy.actions.wire import READ_METHODS, Fields, Headers, read_headers
from policy.model import UNKNOWN, Family, Maybe, TargetTraits, WireRequest

if TYPE_CHECKING:
    from policy.expressions import Elsewhere

BODY_VARIABLES = frozenset({"body"})
"""Variables that are there with ``variables(body=True)`` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAction:
    """What one call to an http target asks for."""

    family: ClassVar[Family] = Family.HTTP
    method: str
    path: str
    """As rules see it: decoded, without query; without a trailing ``/`` unless the target takes that as significant."""
    segments: tuple[str, ...]
    trailing_slash: bool = False
    wire_path: str = field(repr=False)
    """Canonical path and raw query: what is matched and what is sent."""
    query: Maybe[Query] = field(repr=False)
    headers: Fields = field(repr=False)
    """By lower-case name, credentials left out."""
    content_type: Maybe[str] = ""
    """Type and subtype, lower case; empty where there is none."""
    upgrade: str = ""
    """What the Upgrade header asks for."""
    reading: Once[Reading] = field(repr=False, compare=False)
    elsewhere: "Elsewhere | None" = field(default=None, repr=False, compare=False)
    """Who answers conditions on the body in place of reading it here; None: it is read here."""

    @property
    def is_write(self) -> bool:
        """Whether the call may change something; a call that asks for a tunnel may."""
        return self.method not in READ_METHODS or bool(self.upgrade)

    @property
    def also_methods(self) -> tuple[str, ...]:
        """Methods that the call counts as besides its own: HEAD tells what GET tells."""
        return ("GET",) if self.method == "HEAD" else ()

    def body(self) -> Maybe[Any]:
        """The body's JSON value, None where there is no body; a form is an object of lists. Read once, when asked."""
        return self.reading().value

    def body_reason(self) -> str:
        """Why the body is unknown, for the audit trail; empty where it is known."""
        return self.reading().reason

    def facts(self) -> dict[str, Any]:
        """For explanations and the audit trail: no header and no query value is in it."""
        return {
            "method": self.method,
            "path": self.path,
            "query": "unknown" if self.query is UNKNOWN else sorted(self.query),
            "contentType": "unknown" if self.content_type is UNKNOWN else self.content_type,
            "upgrade": self.upgrade,
        }

    def variables(self, body: bool) -> dict[str, Any]:
        """The CEL variables that are known, under their dotted names; ``body`` only where it is asked for."""
        found: dict[str, Any] = {"http.method": self.method, "http.path": self.path}
        if self.query is not UNKNOWN:
            found["http.query"] = _lists(self.query)
        if all(_is_text(value) for values in self.headers.values() for value in values):
            found["http.headers"] = _lists(self.headers)
        if self.content_type is not UNKNOWN:
            found["http.contentType"] = self.content_type
        if body and self.elsewhere is not None:
            found["body"] = self.elsewhere
        elif body and (value := self.body()) is not UNKNOWN:
            found["body"] = value
        return found


def decode_http(traits: TargetTraits, request: WireRequest) -> HttpAction:
    """The action of a request; raises ``Refusal`` (malformed)."""
    headers = read_headers(request)
    raw_path, mark, raw_query = request.path.partition("?")
    path = canonical(raw_path, traits.paths)
    check_query(raw_query)
    return HttpAction(
        method=request.method,
        path=_as_matched(path, traits),
        segments=path.segments,
        trailing_slash=path.trailing_slash,
        wire_path=path.wire + mark + raw_query,
        query=read_query(raw_query) if raw_query else {},
        headers=headers.fields,
        content_type=media_type(headers.content_type),
        upgrade=headers.upgrade,
        reading=Once(lambda: _read(request, headers)),
    )


def _read(request: WireRequest, headers: Headers) -> Reading:
    return read_body(request.body, headers)


def _as_matched(path: CanonicalPath, traits: TargetTraits) -> str:
    keeps = path.trailing_slash and traits.paths.trailing_slash == "significant"
    return path.text + "/" if keeps else path.text


def _lists(values: Fields) -> dict[str, list[str]]:
    return {name: list(items) for name, items in values.items()}


def _is_text(value: str) -> bool:
    """Whether a header value was UTF-8; what was not cannot be bound."""
    return value.isascii() or not any("\udc80" <= character <= "\udcff" for character in value)
