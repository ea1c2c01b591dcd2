"""The canonical form of a path, or a refusal.

Theory: an upstream may decode a path never, once or twice, may fold ``//`` and ``..``, and may cut at ``;``. A path is
let through only if all of these read it alike: escapes of unreserved characters are decoded (RFC 3986, 6.2.2.2), other
escapes are upper-cased (6.2.2.1), and everything that some server reads otherwise is refused, raw or escaped. What is
matched is what is sent; the form is a fixed point, ``canonical(canonical(p).wire).wire == canonical(p).wire``.
"""

import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote, unquote_to_bytes

from policy.codes import Code
from policy.errors import Refusal
from policy.model import PathOptions

STRICT = PathOptions()
MAX_LENGTH = 8192
"""Characters of a raw path; what servers commonly take."""

# Nothing in here can be read in two ways: no escape, no parameter, no dot segment, no empty segment.
_PLAIN = re.compile(r"/|(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9\-._~!$&'()*+,=:@]+)+/?")
_VISIBLE = re.compile(r"[!-~]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOUBLE_ESCAPE = re.compile(r"%25[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalPath:
    """One path in its two forms."""

    wire: str
    """What is sent."""
    segments: tuple[str, ...]
    """What is matched: every segment decoded, except that ``%2F`` and ``%25`` stay, so that ``/`` joins them without
    ambiguity. Empty for ``/``."""
    trailing_slash: bool
    """Whether a ``/`` follows the last segment."""

    @property
    def text(self) -> str:
        """The segments as one path, without a trailing ``/``."""
        return "/" + "/".join(self.segments)


def canonical(path: str, options: PathOptions = STRICT) -> CanonicalPath:
    """The canonical form of a raw path without its query; raises ``Refusal`` (malformed)."""
    if len(path) > MAX_LENGTH:
        malformed("the path is too long")
    wire = path if _PLAIN.fullmatch(path) else _normalised(path, options)
    inner = wire[1:].removesuffix("/")
    segments = tuple(inner.split("/")) if inner else ()
    if "%" in wire:
        segments = tuple(read_segment(segment) for segment in segments)
    return CanonicalPath(wire=wire, segments=segments, trailing_slash=len(wire) > 1 and wire.endswith("/"))


def read_segment(segment: str) -> str:
    """One segment of a canonical path as it is matched, which is also how a literal in a pattern is written."""
    return unquote(segment.replace("%25", "%2525").replace("%2F", "%252F"))


def folded(segments: tuple[str, ...], options: PathOptions) -> tuple[str, ...]:
    """The segments as the target distinguishes them: case folded and a file suffix cut off, where its options say so.

    To compare, fold the literals of a pattern in the same way.
    """
    if options.case_insensitive:
        segments = tuple(segment.casefold() for segment in segments)
    for suffix in options.suffixes:
        wanted = suffix.casefold() if options.case_insensitive else suffix
        if segments and segments[-1].endswith(wanted) and segments[-1] != wanted:
            return (*segments[:-1], segments[-1].removesuffix(wanted))
    return segments


def malformed(detail: str) -> NoReturn:
    """Refuse the request; ``detail`` is told to the agent and holds nothing that it sent."""
    raise Refusal(Code.MALFORMED, detail)


def _normalised(path: str, options: PathOptions) -> str:
    if not path.startswith("/"):
        malformed("the path does not start with a slash")
    if not _VISIBLE.fullmatch(path) or "?" in path:
        malformed("the path holds a space, a control character, a raw question mark or a character beyond ASCII")
    if _BAD_ESCAPE.search(path):
        malformed("the path holds a percent sign without two hexadecimal digits")
    wire = _ESCAPE.sub(_normal_escape, path)
    _check_escapes(wire, options)
    _check_reading(_decoded(wire), options)
    return wire


def _normal_escape(escape: re.Match[str]) -> str:
    byte = int(escape[1], 16)
    return chr(byte) if byte in _UNRESERVED else escape[0].upper()


def _decoded(wire: str) -> str:
    try:
        return unquote_to_bytes(wire).decode("utf-8")
    except UnicodeDecodeError:
        malformed("the path is not UTF-8 after decoding")


def _check_escapes(wire: str, options: PathOptions) -> None:
    if "%2F" in wire and options.encoded_slash == "refuse":
        malformed("the path holds an encoded slash")
    if wire.endswith("%2F"):
        malformed("the path ends in an encoded slash")
    if _DOUBLE_ESCAPE.search(wire) and options.double_encoding == "refuse":
        malformed("the path is encoded twice")


def _check_reading(text: str, options: PathOptions) -> None:
    """Judge the path decoded once, and for what no target needs also decoded twice."""
    if "\\" in text or "#" in text:
        malformed("the path holds a backslash or a number sign")
    if ";" in text and options.semicolon == "refuse":
        malformed("the path holds a semicolon")
    if "//" in text or "/;" in text:
        malformed("the path holds an empty segment")
    for reading in (text, unquote(text)):
        if _CONTROL.search(reading):
            malformed("the path holds a control character")
        if any(segment.partition(";")[0] in {".", ".."} for segment in reading.split("/")):
            malformed("the path holds a dot segment")
