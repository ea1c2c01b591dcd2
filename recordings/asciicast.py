"""Terminal sessions as asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), from recorded exec sessions.

A header line, then one JSON array per event: seconds since the beginning, ``o`` for output, ``i`` for input, ``r`` for
a new size, and the data as text. What a terminal would act upon beyond showing text (OSC titles and links, DCS, APC, PM
and SOS strings) is left out unless it is asked for: a recording is played in somebody's terminal.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from recordings.flows import Spoken

WIDTH, HEIGHT = 80, 24
"""Size where none was said."""
_STDIN, _STDOUT, _STDERR, _RESIZE = 0, 1, 2, 4
_OPENING, _INSIDE = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])", r"[^\x07\x1b\x90\x98\x9c-\x9f]*"
_BEFORE: Final = r"(?<!\x1b)\x1b*"
"""Escapes right before a string go with it: what follows the string must not become their end."""
_STRING: Final = re.compile(rf"{_BEFORE}{_OPENING}{_INSIDE}(?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]|[\x90\x98\x9d-\x9f]))")
_OPEN: Final = re.compile(rf"{_BEFORE}{_OPENING}{_INSIDE}\x1b?$|(?<!\x1b)\x1b+$")
_LONGEST: Final = 64 * 1024
"""Characters of a string for the terminal; a longer one is text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of a session is exported."""

    title: str = ""
    command: str = ""
    typed: bool = False
    """What was typed, too."""
    raw: bool = False
    """Keep strings for the terminal."""


class Text:
    """One stream of bytes as text, wherever it is cut."""

    def __init__(self, *, raw: bool) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._raw = raw
        self._held = ""

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """The text that ``data`` completes."""
        text = self._held + self._decoder.decode(data, last)
        if self._raw:
            return text
        text = _STRING.sub("", text)
        unfinished = _OPEN.search(text)
        self._held = "" if unfinished is None else text[unfinished.start() :]
        if last or len(self._held) > _LONGEST:
            self._held = ""
        return text if unfinished is None else text[: unfinished.start()]


def cast(messages: Iterable[Spoken], options: Options) -> Iterator[str]:
    """The lines of the asciicast of one session, without line ends; none where nothing was said."""
    said = sorted(messages, key=lambda each: each.time)
    if not said:
        return
    begun = said[0].time
    sizes = [(each.time, size) for each in said if each.content[:1] == bytes([_RESIZE]) and (size := _size(each))]
    width, height = sizes[0][1] if sizes else (WIDTH, HEIGHT)
    yield json.dumps(_header(options, width, height, begun))
    texts = {channel: Text(raw=options.raw) for channel in (_STDIN, _STDOUT, _STDERR)}
    for message in said:
        seconds = round(max(0.0, message.time - begun), 6)
        for kind, text in _events(message, texts, options, (width, height)):
            yield json.dumps([seconds, kind, text])


def _header(options: Options, width: int, height: int, begun: float) -> dict[str, Any]:
    words = {"title": options.title, "command": options.command}
    return {"version": 2, "width": width, "height": height, "timestamp": int(begun)} | {
        key: value for key, value in words.items() if value
    }


def _events(
    message: Spoken, texts: dict[int, Text], options: Options, first_size: tuple[int, int]
) -> Iterator[tuple[str, str]]:
    channel, data = message.content[:1], message.content[1:]
    number = channel[0] if channel else -1
    if number == _RESIZE:
        size = _size(message)
        if size is not None and size != first_size:
            yield "r", f"{size[0]}x{size[1]}"
    elif number in texts and (options.typed or number != _STDIN) and (text := texts[number].feed(data)):
        yield "i" if number == _STDIN else "o", text


def _size(message: Spoken) -> tuple[int, int] | None:
    """Columns and rows; None where they are not said, or nothing fits into them."""
    try:
        size = json.loads(message.content[1:])
        width, height = int(size["Width"]), int(size["Height"])
    except (ValueError, KeyError, TypeError):
        return None
    return (width, height) if width > 0 and height > 0 else None
