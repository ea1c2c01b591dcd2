"""What a request carries: its path, query, headers and body searched for protected data. Pure but for masking.

Every header that goes on to the target is searched, its name included. A path cannot be masked, for it would name
something else; nor can a header's name, nor what is written into a Kubernetes Secret, for the mask would be stored.
What cannot be searched is as good as a hit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from addons import header_rules
from gatehold.secret_bodies import is_about_secrets, without_values
from masking.edits import add_counts
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.pseudonyms import Pseudonyms
from policy.errors import GateholdError

_FORM = "application/x-www-form-urlencoded"
_REPLACED = frozenset({"accept-encoding", "content-length", "host"})
"""Written by the gateway itself, whatever the agent's say."""
_FIXED = frozenset({"content-type", "content-encoding"})
"""Another value would have the body read in another way; a boundary stands in the body as well."""
_ENTITY_OF_SECRETS = "KUBERNETES_SECRET"
_SHOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A request as it would go on."""

    path: str = field(repr=False)
    """With its query, as it will stand on the wire."""
    headers: tuple[header_rules.Field, ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        found = (value for known, value in self.headers if known.lower() == name.encode())
        return next(found, b"").decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What was found, and the request without it."""

    masked: Parts
    found: Mapping[str, Mapping[str, int]]
    """By place (``path``, ``query``, ``header NAME``, ``body``): entities and how often; never values."""
    fixed: frozenset[str]
    """Places in which nothing can be masked."""

    def __str__(self) -> str:
        parts = (f"{entity}={count} in {place}" for place in self.found for entity, count in self.found[place].items())
        return ", ".join(parts)


class Unsearchable(GateholdError):
    """A part of a request cannot be searched; ``str()`` says which and why, and holds nothing of it."""


def search(
    parts: Parts,
    masking: MaskingEngine,
    profiles: tuple[str, ...],
    *,
    pseudonyms: Pseudonyms | None = None,
    is_kubernetes: bool = False,
) -> Searched:
    """Search all of a request; raises ``Unsearchable``."""
    return _Search(masking, profiles, pseudonyms, is_kubernetes=is_kubernetes).of(parts)


class _Search:
    """One search, and what it came to so far."""

    def __init__(
        self, masking: MaskingEngine, profiles: tuple[str, ...], pseudonyms: Pseudonyms | None, *, is_kubernetes: bool
    ) -> None:
        self._masking = masking
        self._profiles = profiles
        self._pseudonyms = pseudonyms
        self._is_kubernetes = is_kubernetes
        self._found: dict[str, dict[str, int]] = {}
        self._fixed: set[str] = set()

    def of(self, parts: Parts) -> Searched:
        path, mark, query = parts.path.partition("?")
        self._fixed_text("path", path, *path.split("/"))  # a slash is no boundary where it could be base64's
        path += mark
        if query:
            path += self._body("query", query.encode("utf-8", "surrogateescape"), _FORM).decode("latin-1")
        body = self._content(parts) if parts.body else b""
        decoded = body is not parts.body
        headers = tuple(self._headers(parts.headers, drop_coding=decoded))
        masked = Parts(path=path, headers=headers, body=body)
        return Searched(masked=masked, found=self._found, fixed=frozenset(self._fixed))

    def _headers(self, fields: tuple[header_rules.Field, ...], *, drop_coding: bool) -> Iterator[header_rules.Field]:
        for raw_name, value in fields:
            name = header_rules.canonical(raw_name.decode("latin-1"))
            if drop_coding and name == "content-encoding":
                continue
            if name in _REPLACED or header_rules.is_stripped(name):
                yield raw_name, value
                continue
            self._fixed_text("a header's name", name, raw_name.decode("latin-1"))
            yield raw_name, self._value(name, value)

    def _fixed_text(self, place: str, *readings: str) -> None:
        """Search what cannot be masked, until something is found in one of its readings."""
        for reading in readings:
            self._text(place, reading, fixed=True)
            if place in self._found:
                return

    def _value(self, name: str, value: bytes) -> bytes:
        text, charset = header_rules.readable(value)
        masked = self._text(f"header {name[:_SHOWN]}", text, key=name, fixed=name in _FIXED)
        return value if masked == text else masked.encode(charset, "replace")

    def _text(self, place: str, text: str, *, key: str = "", fixed: bool = False) -> str:
        readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        try:
            masked, counts = self._masking.mask_text(
                readable, profiles=self._profiles, key=key, pseudonyms=self._pseudonyms
            )
        except Unmaskable as unmaskable:
            raise _unsearchable(place, unmaskable) from None
        self._add(place, counts, fixed=fixed)
        return masked if counts else text

    def _content(self, parts: Parts) -> bytes:
        """The body, masked and without its coding; the same object where it had none and nothing was found in it."""
        if self._is_kubernetes and is_about_secrets(parts.path) and self._hides_secrets:
            self._secret(parts.body)
        return self._body("body", parts.body, parts.header("content-type"), parts.header("content-encoding"))

    @property
    def _hides_secrets(self) -> bool:
        return self._masking.hides_kind("Secret", self._profiles)

    def _secret(self, body: bytes) -> None:
        """What is written into a Secret need not say that it is one: its path does."""
        kept = without_values(body)
        if kept is None:
            raise Unsearchable("the body cannot be searched: a Secret that cannot be read")
        if b'"***"' in kept:
            self._add("body", {_ENTITY_OF_SECRETS: kept.count(b'"***"')}, fixed=True)

    def _body(self, place: str, body: bytes, content_type: str, content_encoding: str = "") -> bytes:
        try:
            masked = self._masking.mask_body(
                body,
                content_type=content_type,
                content_encoding=content_encoding,
                profiles=self._profiles,
                pseudonyms=self._pseudonyms,
            )
        except Unmaskable as unmaskable:
            raise _unsearchable(place, unmaskable) from None
        self._add(place, masked.counts)
        return masked.body

    def _add(self, place: str, counts: Mapping[str, int], *, fixed: bool = False) -> None:
        if not counts:
            return
        add_counts(self._found.setdefault(place, {}), counts)
        if fixed:
            self._fixed.add(place)


def _unsearchable(place: str, unmaskable: Unmaskable) -> Unsearchable:
    return Unsearchable(f"the {place.removeprefix('a ')} cannot be searched: {unmaskable.reason}")
