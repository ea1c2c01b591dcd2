"""Texts that grow from record to record of an event stream, as language models write them.

``{"delta": "4111 11"}`` and ``{"delta": "11 1111 1111"}`` hold no card number each; who reads them one after the other
reads one. So the strings that stand at the same place of consecutive records, under one of ``pieces.NAMES``, are judged
as the one text that they make. A record goes on once it is clear what becomes of its pieces: whatever at the end of the
text may be the beginning of something is waited for, a word at least, and with it every record after it, so that their
order stays. What belongs to a value that began in an earlier piece is taken out; its replacement stands where it began.

Waiting ends with the next word. It is bounded in characters and bytes, beyond which the stream is refused, and in time
by ``flush``: after a short pause what does not look like half of a value goes on, after a long one everything. What
comes after that is still judged with what was given on before, so that only the beginning of a value can have been
seen. Of a value of several words that only a profile's own list knows, the first words may be seen.
"""

import re
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from masking.edits import Edit, merge, shift
from masking.errors import Unmaskable
from masking.formats.json_document import as_inside
from masking.pieces import Place, is_last, pieces
from masking.views import View
from masking.windows import unfinished

_TAIL = 512
"""Characters of what was given on that the rest is judged with."""
_LONGEST = 64 * 1024
"""Characters of a text that may be waited for."""
_EAGER = 4096
"""Characters up to which a text is judged again with every piece; beyond, when it has grown by an eighth."""
_PLACES = 64
"""Texts that may grow at the same time."""
_WORD = re.compile(r"""[^\s"'`<>{}\[\](),;|]*+""")
_NUMBER = re.compile(r"[+(]?[0-9](?:[ ().\-/\xa0]{0,2}[0-9])*(?:[ .\-/\xa0)]|[ )]?[ (])?\Z")
_GROUPS = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{1,4}){0,9}[ -]?\Z")
_MARKER = re.compile(r"-{4,5}[ A-Z0-9-]*\Z")
"""A private key's."""
_LONGEST_FORM = 64

type Judge = Callable[[str], list[Edit]]


class Text:
    """One text that grows. Positions are counted from its beginning."""

    def __init__(self) -> None:
        self._known = ""
        """Its end: some of what was given on, and all that was not."""
        self._base = 0
        """Where ``known`` begins."""
        self._given = 0
        """Up to here it was given on."""
        self.open = 0
        """From here on it is not clear what becomes of it."""
        self._covered = 0
        """Up to here an edit reaches whose replacement was given on."""
        self._edits: list[Edit] = []
        """Of ``known``, in its positions."""
        self._judged = 0

    @property
    def end(self) -> int:
        """Where it ends so far."""
        return self._base + len(self._known)

    @property
    def waits(self) -> int:
        """Characters of which it is not clear what becomes of them."""
        return self.end - max(self.open, self._given)

    def add(self, piece: str) -> int:
        """It goes on; gives the position at which."""
        start = self.end
        self._known += piece
        return start

    def look(self, judge: Judge, *, now: bool = False) -> None:
        """Judge it again, unless that is better done when more of it is there."""
        size = len(self._known)
        if not now and size > _EAGER and size < self._judged * 9 // 8:
            return
        self._judged = size
        self._edits = merge(judge(self._known))
        self.open = self._base + min(_half(self._known), *self._touching())

    def settle(self, *, patient: bool) -> None:
        """Nothing came for a while: no more is open than looks like half of a value, and no more at all if that was
        long.
        """
        end = min(unfinished(self._known), *self._touching()) if patient else len(self._known)
        self.open = max(self.open, self._base + end)

    def _touching(self) -> list[int]:
        """Where an edit begins that reaches the last word, and may reach further; the end where there is none."""
        words = len(self._known.rstrip())
        return [*(each.start for each in self._edits if each.end >= words), len(self._known)]

    def give(self, start: int, end: int) -> Iterator[Edit]:
        """What is to be replaced in the piece ``[start, end)``, in its own positions; it counts as given on."""
        for edit in self._edits:
            first, last = edit.start + self._base, edit.end + self._base
            left, right = max(first, start), min(last, end)
            if left < right:
                hidden = "" if first < self._covered else edit.replacement
                yield replace(edit, start=left - start, end=right - start, replacement=hidden)
                self._covered = max(self._covered, last)
        self._given = max(self._given, end)

    def forget(self) -> None:
        """Let go of what was given on long ago, but for what the rest may be a part of."""
        cut = min(self._given - self._base - _TAIL, *self._touching())
        if cut >= _TAIL:
            self._known, self._base = self._known[cut:], self._base + cut
            self._edits = [shift(each, -cut) for each in self._edits if each.start >= cut]
            self._judged -= cut


def _half(text: str) -> int:
    """Where the end of ``text`` begins that may go on: a word, a number or an account number in groups, the marker
    of a private key.
    """
    word = _WORD.match(text[::-1])
    tail = max(0, len(text) - _LONGEST_FORM)
    grouped = (form.search(text, tail) for form in (_NUMBER, _GROUPS, _MARKER))
    return min([len(text) - (word.end() if word else 0), *(match.start() for match in grouped if match)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A string of a record that continues a text."""

    text: Text
    start: int
    end: int
    """Where it stands in its text."""
    view: View
    """Its characters, with their places in the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that waits."""

    body: str
    mark: str
    """A byte order mark before it."""
    edits: list[Edit]
    """What is to be replaced for what stands in it alone."""
    pieces: list[Piece] = field(default_factory=list)


class Growing:
    """The records of one stream."""

    def __init__(self, judge: Judge, payload: Callable[[str], View], *, limit: int) -> None:
        """``judge``: edits of a text; ``payload``: the JSON in a record; ``limit``: characters that may wait."""
        self._judge = judge
        self._payload = payload
        self._limit = limit
        self._texts: OrderedDict[Place, Text] = OrderedDict()
        self._queue: deque[Record] = deque()
        self._held = 0

    @property
    def held(self) -> int:
        """Characters of records that wait."""
        return self._held

    def feed(self, body: str, mark: str, edits: list[Edit]) -> Iterator[tuple[Record, list[Edit]]]:
        """The records that may go on now that one more is there, each with all its edits, merged."""
        payload = self._payload(body)
        record = Record(body=body, mark=mark, edits=edits, pieces=list(self._pieces(payload)))
        self._queue.append(record)
        self._held += len(body)
        for text in _texts([record]):
            text.look(self._judge)
            text.look(self._judge, now=text.waits > _LONGEST)
            if text.waits > _LONGEST:
                raise Unmaskable("a text in the stream has no place to be cut at")
        yield from self.flush(patient=False) if is_last(payload) else self._released()
        if self._held > self._limit:
            raise Unmaskable("too much of the stream waits for the end of a value")

    def flush(self, *, patient: bool) -> Iterator[tuple[Record, list[Edit]]]:
        """What may go on now that nothing came for a while; everything, if that was long or the end."""
        for text in _texts(self._queue):
            text.look(self._judge, now=True)
            text.settle(patient=patient)
        yield from self._released()

    def _released(self) -> Iterator[tuple[Record, list[Edit]]]:
        while self._queue and all(piece.end <= piece.text.open for piece in self._queue[0].pieces):
            record = self._queue.popleft()
            self._held -= len(record.body)
            found = [each for piece in record.pieces for each in _placed(piece)]
            for text in _texts([record]):
                text.forget()
            # Half of a value may look like a whole one by itself.
            yield record, merge([*_outside(record.edits, merge(found)), *found])

    def _pieces(self, payload: View) -> Iterator[Piece]:
        for place, view in pieces(payload):
            text = self._text(place)
            start = text.add(view.text)
            yield Piece(text=text, start=start, end=text.end, view=view)

    def _text(self, place: Place) -> Text:
        text = self._texts.pop(place, None) or Text()
        self._texts[place] = text
        if len(self._texts) > _PLACES:
            idle = next((each for each, other in self._texts.items() if other is not text and not other.waits), None)
            if idle is None:
                raise Unmaskable("too many texts grow in the stream")
            del self._texts[idle]
        return text


def _texts(records: "list[Record] | deque[Record]") -> list[Text]:
    return list({id(piece.text): piece.text for record in records for piece in record.pieces}.values())


def _outside(edits: list[Edit], others: list[Edit]) -> Iterator[Edit]:
    """Those that lie in none of the others, which are merged."""
    starts = [other.start for other in others]
    for edit in edits:
        at = bisect_right(starts, edit.start) - 1
        if at < 0 or others[at].end < edit.end:
            yield edit


def _placed(piece: Piece) -> Iterator[Edit]:
    """What is to be replaced in a piece, in the places of its record."""
    for edit in piece.text.give(piece.start, piece.end):
        quoted = as_inside(edit.replacement)
        yield replace(edit, start=piece.view.origin(edit.start), end=piece.view.origin(edit.end), replacement=quoted)
