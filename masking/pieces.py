"""The pieces of growing texts in the records of an event stream: which strings continue what, and where they stand."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from masking.errors import Unmaskable
from masking.formats.json_spans import Layout, Leaf, scan
from masking.views import View, json_string

NAMES = frozenset(
    {"content", "text", "delta", "token", "completion", "partial_json", "arguments", "response", "thinking",
     "reasoning", "reasoning_content", "refusal", "generated_text"}
)  # fmt: skip
"""Members that hold pieces: of OpenAI, Anthropic, Gemini, Ollama and those who speak like them."""
_WHOLE = re.compile(
    r'[^\S\n]*\{\s*"(?:jsonrpc"\s*:|type"\s*:\s*"(?:ADDED|MODIFIED|DELETED|BOOKMARK|ERROR)"\s*,\s*"object")'
)
"""Records that are whole by themselves: JSON-RPC messages and Kubernetes watch events."""
_LAST = re.compile(r'\s*(?:\[DONE\]|\{\s*"type"\s*:\s*"(?:message_stop|response\.completed)".*)\s*', re.DOTALL)
_INDEX = re.compile(r"(?:\w+_)?index|item_id")
"""Members that tell apart texts which grow at the same place: ``choices[*].index``."""
_MOST = 16
"""Pieces of one record; one with more strings is a list of something, and whole by itself."""
_DATA = re.compile(r"^\ufeff?data(?::( ?)(.*?))?(?=\r?$|\r)", re.MULTILINE)

type Place = tuple[object, ...]
"""What the pieces of one text have in common: the way to them, in which members called ``index`` count for more than
the places in arrays."""


class Found(NamedTuple):
    """A piece of the text at ``place``; ``view`` is what it says, with the places of its characters in the record."""

    place: Place
    view: View


def of_line(line: str) -> View:
    """The payload of a record that is a line."""
    return View(line)


def of_event(event: str) -> View:
    """The payload of a server-sent event: what its data lines hold, joined by line feeds."""
    joined, starts, origins = [], [], []
    size = 0
    for match in _DATA.finditer(event):
        starts.append(size)
        origins.append(match.start(2) if match[2] is not None else match.end())
        joined.append(match[2] or "")
        size += len(joined[-1]) + 1
    return View("\n".join(joined), starts, origins) if joined else View("")


def is_last(payload: View) -> bool:
    """Does a record say that no text goes on after it?"""
    return _LAST.fullmatch(payload.text) is not None


def pieces(payload: View) -> Iterator[Found]:
    """The pieces in a record, in order; none where it is no JSON."""
    text = payload.text
    if text.lstrip()[:1] not in {"{", "["} or _WHOLE.match(text) or not any(f'"{name}"' in text for name in NAMES):
        return
    try:
        layout = scan(text)
    except Unmaskable:
        return  # a text, then, or refused by who reads the record
    leaves = [leaf for leaf in layout.leaves if leaf[4] and leaf[0] < leaf[1] and layout.name_of(leaf) in NAMES]
    if len(leaves) > _MOST:
        return
    for leaf in leaves:
        inner = json_string(text[leaf[0] : leaf[1]])
        yield Found(_place(layout, leaf, text), _through(inner, leaf[0], payload))


def _place(layout: Layout, leaf: Leaf, text: str) -> Place:
    above, frame = {leaf[3]}, leaf[3]
    while frame > 0:
        frame = layout.frames[frame][0]
        above.add(frame)
    told = [
        (each[2], text[each[0] : each[1]])
        for each in layout.leaves
        if each[3] in above and isinstance(each[2], str) and _INDEX.fullmatch(each[2])
    ]
    # Where an element says which one it is, its place in this record's array says nothing.
    steps = layout.steps_to(leaf)
    return (*(step for step in steps if isinstance(step, str)), *told) if told else tuple(steps)


def _through(inner: View, offset: int, payload: View) -> View:
    """A string's characters with their places in the record."""
    every = range(len(inner.text) + 1)
    return View(inner.text, list(every), [payload.origin(offset + inner.origin(at)) for at in every])
