"""What is left of a text where some spans of it are taken out."""

from collections.abc import Iterable

type Span = tuple[int, int]
"""Characters ``[start, end)``."""


def between(spans: Iterable[Span], whole: Span) -> list[Span]:
    """What is left of ``whole`` without ``spans``, in order; nothing empty.

    ``spans`` are in order of their start, lie in ``whole``, and may overlap.
    """
    position, stop = whole
    left: list[Span] = []
    for start, end in spans:
        if start > position:
            left.append((position, start))
        position = max(position, end)
    if position < stop:
        left.append((position, stop))
    return left
