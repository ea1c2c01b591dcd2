"""What is said over a WebSocket of an http target, without sockets: whole messages, of text or not, both ways.

What the target says is masked, message by message; what the agent says is searched where a rule asks for it. A message
of bytes can be neither masked nor searched. The gateway's own credential is taken out of what the target says.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from addons.conversations import POLICY, Outbox
from masking.errors import Unmaskable
from masking.literals import REPLACEMENT, SHORTEST, Replacing
from masking.messages import MessageMask
from recordings.flows import Spoken

RATE, BURST = 200.0, 2000.0
"""Messages of an agent: per second, and at once."""
BORDER = 512
"""Characters on each side of where two messages of an agent meet that are searched as one text."""
PATIENCE = 5.0
"""Seconds of silence after which half of a value is shown to somebody who waits for a message."""

type Search = Callable[[bytes], tuple[bytes, Mapping[str, int]]]
"""A message of text masked, and what was found in it, by entity; raises ``Unmaskable`` where that cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the decision asks for."""

    mask: MessageMask | None
    """Of what the target says."""
    on_unmaskable: str = "block"
    """``block``, ``drop`` or ``pass``."""
    search: Search | None = None
    """Of what the agent says."""
    replaces: bool = False
    """What is found is masked; else it ends the exchange."""


class Rate:
    """How many messages may come: so many at once, and so many per second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self._left, self._seen = rate, burst, burst, time.monotonic()

    def take(self) -> bool:
        """One more; False where it is one too many."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate)
        self._seen = now
        self._left -= 1
        return self._left >= 0


class Exchange(Outbox):
    """The messages of one WebSocket."""

    takes_text = True

    def __init__(self, terms: Terms, *, echoes: Replacing, keep: Callable[[bytes, bool], bytes]) -> None:
        """``keep``: what of a message of the agent is recorded, by its content and whether that is text."""
        super().__init__()
        self._terms = terms
        self._echoes = echoes
        self._keep = keep
        self._open = b""
        """What the target said last, where a credential may go on in its next message."""
        self._rate = Rate(RATE, BURST)
        self._sizes = {True: 0, False: 0}
        """Bytes by whether they came from the client."""
        self._found: Counter[str] = Counter()
        self._said = ""
        """The end of what the agent said, where that is searched."""
        self._heard = time.monotonic()

    @property
    def held(self) -> int:
        """Characters of messages that wait for those after them."""
        return 0 if self._terms.mask is None else self._terms.mask.held

    @property
    def may_flush(self) -> bool:
        """Is there anything that somebody waits for?"""
        return self.held > 0

    def receive(self, content: bytes, *, from_client: bool, is_text: bool = False) -> None:
        """Take one message."""
        if self.ended is not None:
            return
        self._sizes[from_client] += len(content)
        self._heard = time.monotonic()
        if from_client:
            self._from_client(content, is_text=is_text)
        else:
            self._from_server(self._without_echoes(content), is_text=is_text)

    def flush(self) -> None:
        """Give on what waits and does not look like half of a value; after ``PATIENCE`` all of it."""
        patient = time.monotonic() - self._heard < PATIENCE
        if self.ended is None:
            self._masked(lambda mask: mask.flush(patient=patient))

    def finish(self) -> None:
        """Give on what was held back."""
        if self.ended is None or not self.ended.why:
            self._masked(lambda mask: mask.flush(patient=False))

    def cut(self, why: str, code: int = POLICY) -> None:
        """End it."""
        self._end(code, why)

    def counts(self) -> dict[str, int]:
        """How many values were hidden in what the target said, by entity."""
        return {} if self._terms.mask is None else dict(self._terms.mask.counts)

    def summary(self) -> Mapping[str, int | str]:
        """Bytes each way, and what was found in those of the agent."""
        found = {"found": _told(self._found)} if self._found else {}
        return {"sent": self._sizes[True], "received": self._sizes[False], **found, **self._cut_summary()}

    def _without_echoes(self, content: bytes) -> bytes:
        """A message without credentials, also where one goes from message to message."""
        clean = self._echoes.replace(self._open + content)
        shown = clean.removeprefix(self._open)
        begun = self._echoes.held_back(clean)
        self._open = clean[len(clean) - begun :]
        return shown[: max(0, len(shown) - begun)] + REPLACEMENT if begun >= SHORTEST else shown

    def _from_client(self, content: bytes, *, is_text: bool) -> None:
        if not self._rate.take():
            self.cut("the agent says too much at once")
            return
        if self._terms.search is not None:
            searched = self._searched(self._terms.search, content, is_text=is_text)
            if searched is None:
                return
            content = searched
        self._send(content, to_client=False, is_text=is_text)
        self._record(self._keep(content, is_text), from_client=True, is_text=is_text)

    def _searched(self, search: Search, content: bytes, *, is_text: bool) -> bytes | None:
        """What may go on of a message; None where it ends the exchange."""
        if not is_text:
            self.cut("a message that is not text cannot be searched")
            return None
        try:
            masked, found = search(content)
            across = {} if self._terms.replaces else self._across(search, content.decode(errors="replace"))
        except Unmaskable:
            self.cut("a message cannot be searched")
            return None
        found = found or across
        self._found.update(found)
        if found and not self._terms.replaces:
            self.cut(f"protected data in a message: {_told(found)}")
            return None
        return masked

    def _across(self, search: Search, message: str) -> Mapping[str, int]:
        """What stands in this message and those before it, and in neither alone."""
        before, begin = self._said, message[:BORDER]
        self._said = (before + message)[-BORDER:]
        if not before or not begin:
            return {}
        together = _as_text(search, before + begin)
        if not together:
            return {}
        apart = Counter(_as_text(search, before)) + Counter(_as_text(search, begin))
        return dict(Counter(together) - apart)

    def _from_server(self, content: bytes, *, is_text: bool) -> None:
        if self._terms.mask is None:
            self._say(content, is_text=is_text)
        elif not is_text:
            self._unmaskable(content, "a message is not text", is_text=False)
        else:
            try:
                shown = self._terms.mask.feed(content.decode())
            except Unmaskable as unmaskable:
                self._unmaskable(content, unmaskable.reason, is_text=True)
            else:
                self._say_all(shown)

    def _unmaskable(self, content: bytes, reason: str, *, is_text: bool) -> None:
        """Do what the rule says; what waited goes first."""
        if self._terms.on_unmaskable == "block":
            self.cut(f"a message could not be masked and was withheld: {reason}")
            return
        self._masked(lambda mask: mask.flush(patient=False))
        if self._terms.on_unmaskable == "pass" and self.ended is None:
            self._say(content, is_text=is_text)

    def _masked(self, work: Callable[[MessageMask], list[str]]) -> None:
        if self._terms.mask is None:
            return
        try:
            self._say_all(work(self._terms.mask))
        except Unmaskable as unmaskable:
            self.cut(f"a message could not be masked and was withheld: {unmaskable.reason}")

    def _say_all(self, messages: list[str]) -> None:
        for message in messages:
            self._say(message.encode(), is_text=True)

    def _say(self, content: bytes, *, is_text: bool) -> None:
        self._send(content, to_client=True, is_text=is_text)
        self._record(content, from_client=False, is_text=is_text)

    def _record(self, content: bytes, *, from_client: bool, is_text: bool) -> None:
        self.dialogue.add(Spoken(time=time.time(), from_client=from_client, content=content, is_text=is_text))


def _as_text(search: Search, text: str) -> Mapping[str, int]:
    """What is found in a text, also in one that begins as JSON does and ends as something else."""
    return search(f"... {text}".encode())[1]


def _told(found: Mapping[str, int]) -> str:
    return ", ".join(f"{entity}={number}" for entity, number in sorted(found.items()))
