"""Base64 in a text: runs of it that hold a text themselves (RFC 4648, both alphabets, with and without padding).

A run may be cut into lines of one width, as MIME, PEM and the interfaces of version control do: it is one run.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from masking.gaps import between

_ANY_RUN = re.compile(r"[A-Za-z0-9+/_-]{16}")
_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}")
_BLOCK = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}+(?:\r?\n[ \t]*+[A-Za-z0-9+/_-]++={0,2}+)++")
_LINE = re.compile(r"[A-Za-z0-9+/_=-]+")
_BREAK = re.compile(r"\r?\n[ \t]*")
_HEAD = re.compile(rb"[\t\n\f\r\x1b -~\x80-\xff]{6}")
"""How the packed texts begin that are looked into: without control characters, but for colours and a new page."""
_OTHER = re.compile(rb"[^\t\n\r -~]")


def texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Spans of the runs in ``text`` that decode to something readable, each with what it decodes to."""
    if len(text) < 16:
        return
    blocks = [block for match in _BLOCK.finditer(text) for block in _cut(match)] if "\n" in text else []
    yield from blocks
    for match in _RUN.finditer(text):
        while blocks and blocks[0][1] <= match.start():
            blocks.pop(0)
        if blocks and blocks[0][0] <= match.start():
            continue
        inner = _unpack(match[0])
        if inner:
            yield match.start(), match.end(), inner


def texts_between(text: str, hidden: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """The same, and runs that are told only once some spans of ``text``, in order and apart, stand there no more.

    What touches a run makes it another one: ``536-90-4399`` before it is written in its alphabet.
    """
    if _ANY_RUN.search(text) is None:
        return
    known: set[tuple[int, int]] = set()
    for start, end, inner in texts(text):
        known.add((start, end))
        yield start, end, inner
    if not hidden:
        return
    for at, stop in between(hidden, (0, len(text))):
        for start, end, inner in texts(text[at:stop]):
            if (at + start, at + end) not in known:
                yield at + start, at + end, inner


def _cut(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """The runs of some lines: as many as are equally wide, and a shorter one."""
    lines = [line.span() for line in _LINE.finditer(match.string, *match.span())]
    first = 0
    while first < len(lines):
        width = lines[first][1] - lines[first][0]
        last = first + 1
        while last < len(lines) and lines[last][1] - lines[last][0] == width:
            last += 1
        if last < len(lines) and lines[last][1] - lines[last][0] < width:
            last += 1
        start, end = lines[first][0], lines[last - 1][1]
        inner = _unpack(_BREAK.sub("", match.string[start:end])) if last - first > 1 and not width % 4 else ""
        if inner:
            yield start, end, inner
        # A shorter line may be the first one of the next run.
        first = last if inner else max(first + 1, last - 1)


def _unpack(run: str) -> str:
    """The text in a run of base64; empty when there is none."""
    if run == run.lower() or run == run.upper():
        return ""
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return ""
    try:
        octets = base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return ""
    return _text(octets) if _HEAD.match(octets) else ""


def _text(octets: bytes) -> str:
    """What some bytes say: UTF-8, whatever characters are in it, or mostly ASCII; empty when it is neither."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1") if len(_OTHER.findall(octets)) * 8 <= len(octets) else ""


def pack(text: str, *, like: str) -> str:
    """The base64 of ``text``, in the alphabet, with the padding and in the lines of ``like``."""
    run = _BREAK.sub("", like)
    packed = base64.b64encode(text.encode(_charset(run))).decode()
    if "-" in like or "_" in like:
        packed = packed.replace("+", "-").replace("/", "_")
    packed = packed if run.endswith("=") or len(run) % 4 == 0 else packed.rstrip("=")
    cut = _BREAK.search(like)
    if cut is None:
        return packed
    return cut[0].join(packed[at : at + cut.start()] for at in range(0, len(packed), cut.start()))


def _charset(run: str) -> str:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        base64.b64decode(body + "=" * (-len(body) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "latin-1"
    return "utf-8"
