"""What may be written down of a request: paths, headers, facts and bodies, masked for the record.

A request goes to its target as the agent wrote it, but its record follows every mask profile that any rule names for
that target, and always the detectors for secrets. Header values that carry credentials are not masked but left out.
What cannot be masked is replaced by its length: the record says that something was there, never what.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from gatehold.config import Target
from gatehold.secret_bodies import is_about_secrets, without_values
from masking.engine import Masked, MaskingEngine
from masking.errors import Unmaskable
from policy.model import Family, WireRequest

HIDDEN = "***"
PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "age", "connection", "content-encoding", "content-length", "content-type", "date",
     "expires", "gatehold-approval", "gatehold-decision", "gatehold-masked", "gatehold-rule", "host", "retry-after",
     "transfer-encoding"}
)  # fmt: skip
"""Headers that hold no data of a person or record."""

_BASE: Mapping[Family | None, tuple[str, ...]] = {
    None: ("secrets",),
    Family.HTTP: ("secrets",),
    Family.KUBERNETES: ("kubernetes", "secrets"),
}
_SUSPECT = re.compile(
    r"""@ | %40                          # an address of a person
      | (?:\d[^\d/?&=]{0,3}){7}          # as many digits as the shortest number that is hidden
      | [A-Za-z0-9+/_.~%-]{20}           # a long run: keys, tokens
      | (?i:pass|secret|token|key|auth|credential|signature)""",
    re.VERBOSE,
)
"""A short text without any of these holds nothing that a detector could find."""
_CACHE = 8192


class Scrubber:
    """Masks what is written down of requests."""

    def __init__(
        self, masking: MaskingEngine, profiles: Mapping[str, tuple[str, ...]], hidden_headers: frozenset[str]
    ) -> None:
        """``profiles``: by target, every mask profile that may apply to its answers."""
        self._masking = masking
        self._hidden = hidden_headers
        self._plain = frozenset(
            spelled.encode() for name in PLAIN_HEADERS - hidden_headers for spelled in (name, name.title())
        )
        self._named = profiles
        self._profiles: dict[str, tuple[str, ...]] = {}
        self._cached = lru_cache(_CACHE)(self._mask)

    def text(self, text: str, target: Target | None) -> str:
        """A path, a header value or a fact, masked."""
        return self._cached(text, self.profiles(target)) if _SUSPECT.search(text) else text

    def facts(self, facts: Mapping[str, Any], target: Target | None) -> dict[str, Any]:
        """Facts of an action, every text in them masked. Raises TypeError for what JSON has no form for."""
        return {key: self._value(value, target) for key, value in facts.items()}

    def headers(self, headers: Iterable[tuple[str, str]], target: Target | None) -> list[tuple[bytes, bytes]]:
        """Request headers for the record, credentials left out in every spelling."""
        return [(name.encode("utf-8", "surrogateescape"), self._header(name, value, target)) for name, value in headers]

    def fields(self, fields: Iterable[tuple[bytes, bytes]], target: Target | None) -> list[tuple[bytes, bytes]]:
        """The same for headers as they stand on the wire."""
        return [
            (name, value if name in self._plain else self._header(_text(name), _text(value), target))
            for name, value in fields
        ]

    def body(self, wire: WireRequest | None, target: Target | None) -> bytes:
        """A request body for the record."""
        if wire is None or not wire.body:
            return b""
        if target is not None and target.spec.family is Family.KUBERNETES and is_about_secrets(wire.path):
            kept = without_values(wire.body)
            left_out = f"[{len(wire.body)} bytes left out: a Secret that cannot be read]".encode()
            return left_out if kept is None else self.masked_body(kept, "application/json", target)
        headers = {name.lower(): value for name, value in wire.headers}
        return self.masked_body(wire.body, headers.get("content-type", ""), target)

    def shown_body(self, wire: WireRequest, target: Target | None) -> Masked:
        """A request body for the eyes of approvers, with what was hidden in it. Raises Unmaskable.

        The values of a Secret are left out and not counted: who shows it says so.
        """
        body, headers = wire.body or b"", {name.lower(): value for name, value in wire.headers}
        content_type = headers.get("content-type", "")
        if target is not None and target.spec.family is Family.KUBERNETES and is_about_secrets(wire.path):
            kept = without_values(body)
            if kept is None:
                raise Unmaskable("a Secret that cannot be read")
            body, content_type = kept, "application/json"
        return self._masking.mask_body(
            body,
            content_type=content_type,
            content_encoding=headers.get("content-encoding", ""),
            profiles=self.profiles(target),
        )

    def masked_body(self, body: bytes, content_type: str, target: Target | None) -> bytes:
        """Any body for the record, masked by the target's profiles and the secrets detectors."""
        try:
            profiles = self.profiles(target)
            return self._masking.mask_body(body, content_type=content_type, content_encoding="", profiles=profiles).body
        except Unmaskable as unmaskable:
            return f"[{len(body)} bytes left out: {unmaskable}]".encode()

    def document(self, value: Mapping[str, Any], target: Target | None) -> dict[str, Any]:
        """An object for the eyes of approvers, masked like a body; raises ValueError where that cannot be done."""
        try:
            masked = self._masking.mask_body(
                json.dumps(value).encode(),
                content_type="application/json",
                content_encoding="",
                profiles=self.profiles(target),
            )
        except Unmaskable:
            raise ValueError("the object cannot be masked") from None
        document: dict[str, Any] = json.loads(masked.body)
        return document

    def profiles(self, target: Target | None) -> tuple[str, ...]:
        """The profiles by which a target's requests are recorded."""
        if target is None:
            return _BASE[None]
        known = self._profiles.get(target.name)
        if known is None:
            known = tuple(dict.fromkeys((*self._named[target.name], *_BASE[target.spec.family])))
            self._profiles[target.name] = known
        return known

    def _header(self, name: str, value: str, target: Target | None) -> bytes:
        if name.lower().replace("_", "-") in self._hidden:
            return HIDDEN.encode()
        if name.lower() in PLAIN_HEADERS:
            return value.encode("utf-8", "surrogateescape")
        return self.text(value, target).encode("utf-8", "surrogateescape")

    def _value(self, value: Any, target: Target | None) -> Any:
        if isinstance(value, str):
            return self.text(value, target)
        if isinstance(value, Mapping):
            return self.facts(value, target)
        if isinstance(value, list | tuple):
            return [self._value(each, target) for each in value]
        if value is None or isinstance(value, int | float):
            return value
        raise TypeError(f"no fact is a {type(value).__name__}")  # what is not looked into is not written down

    def _mask(self, text: str, profiles: tuple[str, ...]) -> str:
        readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return self._masking.mask_text(readable, profiles=profiles)[0]


def _text(field: bytes) -> str:
    return field.decode("utf-8", "surrogateescape")
