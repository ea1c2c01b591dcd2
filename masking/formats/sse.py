"""What is to be replaced in server-sent events (WHATWG HTML, 9.2.6).

The data of an event is what its ``data:`` lines hold, joined by line feeds; it is judged as one, as JSON if it is JSON.
Every other line is judged as a text by itself.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from masking.edits import Edit, shift
from masking.formats import json_screen
from masking.formats.json_document import JsonMasker
from masking.formats.text import TextMasker
from masking.views import View

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_EVENT_END = re.compile(r"(?>\r\n|\r|\n){2}")


def sse_edits(text: str, texts: TextMasker, objects: JsonMasker) -> list[Edit]:
    """What is to be replaced in some events."""
    found: list[Edit] = []
    position = 0
    for end in (*(match.end() for match in _EVENT_END.finditer(text)), len(text)):
        found += (shift(edit, position) for edit in _event_edits(text[position:end], texts, objects))
        position = end
    return found


def _event_edits(event: str, texts: TextMasker, objects: JsonMasker) -> Iterator[Edit]:
    data: list[tuple[int, str]] = []
    for match in _LINE.finditer(event):
        name, colon, value = match[1].partition(":")
        if name.lstrip("\ufeff") == "data" and colon:
            space = value.startswith(" ")
            data.append((match.start() + len(name) + 1 + space, value[space:]))
        elif match[1]:
            yield from (shift(edit, match.start()) for edit in texts.edits(match[1]))
    if data:
        yield from _data_edits(data, texts, objects)


def _data_edits(lines: list[tuple[int, str]], texts: TextMasker, objects: JsonMasker) -> Iterator[Edit]:
    joined = "\n".join(line for _, line in lines)
    starts = [0]
    for _, line in lines[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    view = View(joined, starts, [start for start, _ in lines])
    for edit in _payload_edits(joined, texts, objects):
        # The end of a line is no position of the next one, although the same number of characters precedes both.
        end = view.origin(edit.end - 1) + 1
        yield replace(edit, start=view.origin(edit.start), end=end)


def _payload_edits(payload: str, texts: TextMasker, objects: JsonMasker) -> list[Edit]:
    if payload.lstrip()[:1] in {"{", "[", '"'}:
        try:
            return objects.edits(payload)
        except json_screen.NotJson:
            pass
    return texts.edits(payload)
