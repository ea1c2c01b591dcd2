"""A recorded body for the eyes of a person: JSON with its own tokens on lines of their own, text, or a dump. Pure.

JSON is laid out token by token and never rebuilt: numbers, escapes and repeated names stay as they were sent.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Final, Literal

MOST_BYTES: Final = 256 * 1024
MOST_LINES: Final = 3000
MOST_DUMPED: Final = 4096
"""Bytes of a binary body that are shown."""
LONGEST_LINE: Final = 4000
_DEEPEST: Final = 40
"""Nesting up to which JSON is laid out; more would be mostly spaces."""
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_PER_LINE: Final = 16

type Form = Literal["json", "text", "binary", "empty", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBody:
    """What of a body is shown, and how much is not."""

    form: Form
    size: int
    """Bytes of the body as it was recorded."""
    lines: tuple[str, ...] = field(default=(), repr=False)
    """Not yet made visible."""
    bytes_left_out: int = 0
    lines_left_out: int = 0


def shown(body: bytes | None) -> ShownBody:
    """A body, masked already."""
    if not body:
        return ShownBody(form="absent" if body is None else "empty", size=0)
    text = _text(body)
    if text is None:
        part = body[:MOST_DUMPED]
        return _cut("binary", dump(part), len(body), len(body) - len(part))
    left_out = max(0, len(body) - MOST_BYTES)
    laid_out = None if left_out else json_lines(text)
    if laid_out is not None:
        return _cut("json", laid_out, len(body), 0)
    return _cut("text", text.removesuffix("\n").split("\n"), len(body), left_out)


def _text(body: bytes) -> str | None:
    """The part that is shown, as text; None for what is none."""
    part = body[:MOST_BYTES]
    try:
        # A character that the cut goes through is not the body's fault.
        text = part.decode("utf-8", "strict" if len(part) == len(body) else "ignore")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _cut(form: Form, lines: list[str], size: int, bytes_left_out: int) -> ShownBody:
    kept = lines[:MOST_LINES]
    return ShownBody(
        form=form,
        size=size,
        lines=tuple(_short(line) for line in kept),
        bytes_left_out=bytes_left_out,
        lines_left_out=len(lines) - len(kept),
    )


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} [{len(line) - LONGEST_LINE} more]"


def json_lines(text: str) -> list[str] | None:
    """A JSON object or array, two spaces a level; None for what is neither, or is nested too deeply."""
    try:
        if not isinstance(json.loads(text), dict | list):
            return None
    except (ValueError, RecursionError):
        return None
    lines, line, depth = list[str](), "", 0
    tokens = _TOKENS.findall(text)
    for at, word in enumerate(tokens):
        if word in "}]" and tokens[at - 1] not in "{[":
            depth -= 1
            lines.append(line)
            line = "  " * depth + word
        elif word in "{[" and tokens[at + 1] not in "}]":
            depth += 1
            lines.append(line + word)
            line = "  " * depth
        elif word == ",":
            lines.append(line + word)
            line = "  " * depth
        else:
            line += ": " if word == ":" else word
        if depth > _DEEPEST:
            return None
    return [*lines, line]


def dump(body: bytes) -> list[str]:
    """Offset, bytes in hexadecimal and what of them is ASCII, 16 a line."""
    return [f"{at:08x}  {_dumped(body[at : at + _PER_LINE])}" for at in range(0, len(body), _PER_LINE)]


def _dumped(row: bytes) -> str:
    return f"{row.hex(' '):<47}  {''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in row)}"
