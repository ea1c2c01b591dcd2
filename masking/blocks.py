"""Lines that are judged one by one, looked at together first.

Most lines hold nothing, and most of the time goes into beginning to look. What a line shows by itself it shows among
others as well: there it has the same neighbours, and every word beside it that makes a weak pattern surer. So a block
of lines in which nothing is found needs no second look, and of any other only those lines that something was found in.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from masking.edits import Edit

BLOCK = 8 * 1024
"""Bytes of lines that are looked at together."""


def touched(lines: list[str], edits: Callable[[str], list[Edit]]) -> list[int]:
    """Which of some lines, that have their line ends, have to be judged by themselves: in no other there is an edit."""
    found = edits("".join(lines))
    if not found:
        return []
    starts = [0, *accumulate(map(len, lines))]
    spans = ((bisect_right(starts, edit.start) - 1, bisect_right(starts, edit.end - 1)) for edit in found)
    return sorted({at for first, last in spans for at in range(first, last)})


def blocks(data: bytes) -> Iterator[bytes]:
    """Whole lines, cut into blocks; a longer line is a block of its own. ``data`` ends with a line feed."""
    position = 0
    while position < len(data):
        end = data.rfind(b"\n", position, position + BLOCK) + 1
        end = end or data.index(b"\n", position) + 1
        yield data[position:end]
        position = end
