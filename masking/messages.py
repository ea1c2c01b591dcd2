"""Masking of a conversation in messages, each of them whole: JSON or text, as over a WebSocket.

Messages are masked one by one, in order. Those that hold pieces of a growing text wait for each other, as the records
of an event stream do (``masking.growing``).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from masking.edits import Edit, apply
from masking.errors import Unmaskable, refusing
from masking.growing import Growing, Record
from masking.pieces import of_line


class MessageMask:
    """What one side says. A message that raises ``Unmaskable`` is as if it had not come, unless it was one too many to
    wait: then nothing is given any more.
    """

    def __init__(self, edits: Callable[[str], list[Edit]], judge: Callable[[str], list[Edit]], *, limit: int) -> None:
        """``edits``: of a message by itself; ``judge``: of a growing text; ``limit``: characters that may wait."""
        self._edits = edits
        self._growing = Growing(judge, of_line, limit=limit)
        self._counts: Counter[str] = Counter()
        self._cut = False

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values were hidden so far, by entity."""
        return dict(sorted(self._counts.items()))

    @property
    def held(self) -> int:
        """Characters of messages that wait."""
        return self._growing.held

    def feed(self, message: str) -> list[str]:
        """The messages that may go on now that this one came, masked."""
        with refusing():
            if "\0" in message:
                raise Unmaskable("a message is binary")
            edits = self._edits(message)
        with self._or_cut():
            return self._masked(self._growing.feed(message, "", edits))

    def flush(self, *, patient: bool) -> list[str]:
        """Nothing came for a while: what may go on; everything where that was long."""
        with self._or_cut():
            return self._masked(self._growing.flush(patient=patient))

    def _masked(self, released: Iterator[tuple[Record, list[Edit]]]) -> list[str]:
        masked = []
        for record, edits in released:
            self._counts.update(edit.entity for edit in edits if edit.replacement)
            masked.append(apply(record.body, edits))
        return masked

    @contextmanager
    def _or_cut(self) -> Iterator[None]:
        """Whatever goes wrong ends it for good."""
        if self._cut:
            raise Unmaskable("the conversation was cut")
        self._cut = True
        with refusing():
            yield
        self._cut = False
