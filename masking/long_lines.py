"""A line of a stream that cannot be held until it ends: bytes in, masked text out, judged in windows."""

from collections.abc import Callable

from masking.content import ContentType, refuse_binary, text_of, without_bom
from masking.edits import Edit
from masking.windows import Window

_CONTINUES, _LONGEST_LETTER = 0x80, 4


class LongLine:
    """One line on its way; its charset is the body's."""

    def __init__(
        self, edits: Callable[[str], list[Edit]], declared: ContentType, *, limit: int, is_first: bool
    ) -> None:
        """``limit``: characters without a place to cut at; ``is_first``: nothing of the body came before."""
        self._declared = declared
        self._window = Window(edits, limit=limit)
        self._torn = b""
        """The beginning of a letter."""
        self._is_first = is_first

    @property
    def applied(self) -> list[Edit]:
        """What was hidden since the last call."""
        applied, self._window.applied = self._window.applied, []
        return applied

    @property
    def held(self) -> int:
        """Characters that wait."""
        return self._window.held

    @property
    def known(self) -> str:
        """The end of the line, in clear."""
        return self._window.known

    def feed(self, data: bytes) -> str:
        """What may go on now."""
        whole, self._torn = _letters(self._torn + data, self._declared.charset)
        return self._begun(whole)

    def flush(self) -> str:
        """What somebody may see although the line goes on."""
        return self._window.flush()

    def end(self) -> str:
        """What is left of the line."""
        rest, self._torn = self._torn, b""
        return self._begun(rest) + self._window.end()

    def _begun(self, data: bytes) -> str:
        text = text_of(data, self._declared)
        if not self._is_first or not text:
            return self._window.feed(text)
        refuse_binary(data)
        self._is_first = False
        body = without_bom(text)
        return text[: len(text) - len(body)] + self._window.feed(body)


def _letters(data: bytes, charset: str) -> tuple[bytes, bytes]:
    """``data`` up to its last whole letter, and the rest."""
    if charset != "utf-8":
        return data, b""
    for size in range(1, min(_LONGEST_LETTER, len(data) + 1)):
        first = data[-size]
        if first < _CONTINUES:
            break
        if first >= 0xC0:  # the lead of a letter of more than one byte
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return (data[:-size], data[-size:]) if length > size else (data, b"")
    return data, b""
