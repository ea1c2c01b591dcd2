"""Bodies of several parts (RFC 2046, 5.1; RFC 7578): where each part stands.

Readers of multipart bodies disagree about everything that is not exactly as written in the RFC: text before the first
part, line feeds without carriage returns, padding, a missing end. All of it is refused, and so is a boundary that
stands anywhere but in a delimiter. Texts here have one character per byte (latin-1).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from masking.content import ContentType, read_content_type
from masking.errors import Unmaskable
from masking.formats import transfer

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([^\r\n\0]*+)\Z")
_PARAMETER = re.compile(r";[ \t]*+([A-Za-z0-9_*.-]++)=(?:\"([^\"\\]*+)\"|([^\s;\"\\]++))[ \t]*+")
_DISPOSITION = re.compile(rf"[A-Za-z-]++[ \t]*+((?:{_PARAMETER.pattern})*+)")
_MOST_PARTS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of ``Content-Disposition``: its value stands at ``[start, end)`` of the whole text."""

    name: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: ``[start, end)`` is its content, as transferred."""

    start: int
    end: int
    headers: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """By lower-case name: where the value starts, and the value."""
    parameters: tuple[Parameter, ...] = ()

    def header(self, name: str) -> str:
        """The value of a header; empty when there is none."""
        return self.headers.get(name, (0, ""))[1]


def parts(text: str, boundary: str) -> list[Part]:
    """The parts of a body, in order; raises ``Unmaskable`` whenever another reader could see others."""
    if not _BOUNDARY.fullmatch(boundary):
        raise Unmaskable("multipart boundary is missing or malformed")
    delimiter = f"--{boundary}"
    found: list[Part] = []
    position = 2 if text.startswith(f"\r\n{delimiter}") else 0
    at = text.find(delimiter)
    if at != position:
        raise Unmaskable("multipart body does not begin with a part")
    while True:
        after = at + len(delimiter)
        if text.startswith("--", after):
            if not found or text[after + 2 :] not in {"", "\r\n"}:
                raise Unmaskable("multipart body goes on after its end")
            return found
        following = text.find(delimiter, after)
        if not text.startswith("\r\n", after) or following < 0 or not text.endswith("\r\n", after + 2, following):
            raise Unmaskable("multipart body is malformed")
        if len(found) == _MOST_PARTS:
            raise Unmaskable("multipart body has too many parts")
        found.append(_part(text, after + 2, following - 2))
        at = following


def field_texts(body: bytes, declared: ContentType) -> Iterator[tuple[str, str]]:
    """The fields of a form with their texts, as far as they are texts."""
    text = body.decode("latin-1")
    for part in parts(text, declared.boundary):
        content = transfer.decoded(text[part.start : part.end], part.header("content-transfer-encoding"))
        yield name_of(part, text), content.encode("latin-1").decode("utf-8", "replace")


def name_of(part: Part, text: str) -> str:
    """What the form calls a part; empty when it has no name."""
    named = [each for each in part.parameters if each.name == "name"]
    return characters(text[named[0].start : named[0].end]) if named else ""


def characters(octets: str) -> str:
    """A value of a header as it is meant: UTF-8 where it is that."""
    try:
        return octets.encode("latin-1").decode()
    except UnicodeDecodeError:
        return octets


def content_type(part: Part) -> ContentType:
    """The content type of a part, ``text/plain`` unless it says one (RFC 7578, 4.4)."""
    declared = read_content_type(part.header("content-type") or "text/plain")
    if declared.shape is None:
        raise Unmaskable("content type is malformed")
    return declared


def _part(text: str, start: int, end: int) -> Part:
    if text.startswith("\r\n", start) and start + 2 <= end:
        return Part(start=start + 2, end=end)
    head_end = text.find("\r\n\r\n", start, end)
    if head_end < 0:
        raise Unmaskable("a part of a multipart body has no content")
    headers: dict[str, tuple[int, str]] = {}
    position = start
    for line in text[start:head_end].split("\r\n"):
        match = _HEADER.match(line)
        name = match[1].lower() if match else ""
        if match is None or name in headers or "=?" in match[2]:
            raise Unmaskable("a header of a part is malformed")
        headers[name] = (position + match.start(2), match[2].rstrip(" \t"))
        position += len(line) + 2
    return Part(start=head_end + 4, end=end, headers=headers, parameters=tuple(_parameters(headers)))


def _parameters(headers: Mapping[str, tuple[int, str]]) -> Iterator[Parameter]:
    start, value = headers.get("content-disposition", (0, ""))
    match = _DISPOSITION.fullmatch(value)
    if value and match is None:
        raise Unmaskable("a content disposition is malformed")
    if match is None:
        return
    seen: set[str] = set()
    for each in _PARAMETER.finditer(value, match.start(1)):
        name, group = each[1].lower(), 2 if each[2] is not None else 3
        # A value may also come in pieces (RFC 2231, 3), which few readers put together.
        if name in seen or name.rstrip("*") in seen or "*" in name[:-1]:
            raise Unmaskable("a content disposition is malformed")
        seen.update((name, name.rstrip("*")))
        yield Parameter(name=name, start=start + each.start(group), end=start + each.end(group), quoted=group == 2)
