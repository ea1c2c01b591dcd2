"""What is typed into a command, as it is recorded: always as text, and always something of it, whatever an agent sends.

A byte that is no text must not hide the commands after it. So NUL bytes are left out (letters with one between them
would hide what they spell), other bytes that are no UTF-8 become U+FFFD, a line without an end is cut, and a private
key that is opened and never closed hides nothing but what looks like one. Of an archive all that is readable is kept.
"""

import codecs
import re
from collections.abc import Callable

from masking.errors import Unmaskable
from masking.stream import KeyGate
from masking.terminal import TerminalMask

_LONGEST = 256 * 1024
"""Bytes of a line that are masked together."""
_PIECE = 16 * 1024
"""Characters that are masked at a time."""

_NOT_TEXT = "\ufffd"
_TEXT_SHARE = 8
"""Where more than one character in so many is none, it is an archive: only what is readable in it is kept."""
_RUNS = re.compile(r"[\t\n\r -~]{4,}")


class TypedKeyGate(KeyGate):
    """Hides private keys over many lines, and nothing but them."""

    _BODY = re.compile(r"[A-Za-z0-9+/=]{40,}\s*|(?:Proc-Type|DEK-Info): [A-Za-z0-9,-]*\s*|\s+")
    _LAST = re.compile(r"[A-Za-z0-9+/=]+\s*")
    _has_ended = False

    def outside(self, record: str) -> str:
        """What of a line is not of a key. One that is shorter than the others is the last of a key."""
        if not self._inside or self._END.search(record) or self._BODY.fullmatch(record):
            return super().outside(record)
        if not self._has_ended and self._LAST.fullmatch(record):
            self._has_ended = True
            return super().outside(record)
        self._inside = False
        return record

    def note(self, record: str) -> None:
        """Remembers whether a line leaves a key open."""
        was_inside = self._inside
        super().note(record)
        self._has_ended = self._has_ended and was_inside


class TerminalInput:
    """The input of one command, for the record."""

    def __init__(self, open_mask: Callable[[], TerminalMask], *, tty: bool) -> None:
        """``tty``: lines end with a carriage return, for that is what the key says."""
        self._open_mask = open_mask
        self._mask = open_mask()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._tty = tty

    @property
    def held(self) -> int:
        """Bytes that wait for the end of their line."""
        return self._mask.held

    def feed(self, data: bytes) -> bytes:
        """The masked form of the lines that ``data`` completes."""
        return self._fed(self._decoder.decode(data))

    def end(self) -> bytes:
        """What has not ended, masked."""
        return self._fed(self._decoder.decode(b"", final=True)) + self._end_line()

    def _fed(self, text: str) -> bytes:
        text = text.replace("\0", "")
        if text.count(_NOT_TEXT) > len(text) // _TEXT_SHARE:
            text = "".join(f"{run}\n" for run in _RUNS.findall(text))
        if self._tty:
            text = text.replace("\r", "\r\n")
        kept = b""
        for start in range(0, len(text), _PIECE):
            kept += self._feed_piece(text[start : start + _PIECE].encode())
            if self._mask.held > _LONGEST:
                kept += self._end_line()
        return kept

    def _feed_piece(self, data: bytes) -> bytes:
        try:
            return self._mask.feed(data)
        except Unmaskable as unmaskable:
            return self._begin_anew(unmaskable)

    def _end_line(self) -> bytes:
        try:
            return self._mask.end()
        except Unmaskable as unmaskable:
            return self._begin_anew(unmaskable)

    def _begin_anew(self, unmaskable: Unmaskable) -> bytes:
        lost, self._mask = self._mask.held, self._open_mask()
        return f"[{lost} bytes left out: {unmaskable.reason}]\n".encode()
