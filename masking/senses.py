"""A detector under the rule of a profile, and when it has to be asked."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from masking import guard
from masking.detection import Detector, Hit
from masking.embedded import embedded_addresses, embedded_cards, embedded_dashed, embedded_phones
from masking.gaps import Span
from masking.profiles.resolving import EntityRule

_EMBEDDED_SCREENS = {"CREDIT_CARD": r"[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{3}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """A detector under the rule of a profile."""

    detector: Detector
    rule: EntityRule

    @property
    def needs_context(self) -> bool:
        """Whether it finds nothing that counts unless a context word speaks for it."""
        return self.detector.reach(lifted=False) < self.rule.threshold

    def speaks(self, words: str) -> bool:
        """Whether a context word stands in some lower-case text."""
        return any(map(words.__contains__, self.detector.context))

    @property
    def screen(self) -> str | None:
        """Matches wherever there may be a hit."""
        if self.detector.screen is None or not self.rule.embedded:
            return self.detector.screen
        return _EMBEDDED_SCREENS.get(self.rule.entity, self.detector.screen)

    def hits(self, text: str, *, lifted: bool) -> list[Hit]:
        """Everything that this detector finds and this rule believes."""
        found = self.detector.find(text, lifted=lifted, threshold=self.rule.threshold)
        if self.rule.guarded:
            return [hit for hit in found if guard.keeps(hit.entity, text, hit.start, hit.end)]
        if self.rule.embedded:
            found = [*found, *self._embedded(text, found, lifted=lifted)]
        return found

    def _embedded(self, text: str, found: Sequence[Hit], *, lifted: bool) -> Iterator[Hit]:
        match self.rule.entity:
            case "CREDIT_CARD":
                yield from (Hit("CREDIT_CARD", start, end, 1.0) for start, end in embedded_cards(text))
                return
            case "EMAIL_ADDRESS":
                spans = embedded_addresses(text, {text.find("@", hit.start) for hit in found})
            case "PHONE_NUMBER":
                spans = embedded_phones(text)
            case "US_ITIN" | "US_SSN":
                whole = {(hit.start, hit.end) for hit in found}
                spans = (span for span in embedded_dashed(text) if span not in whole)
            case _:
                return
        screen = self.detector.screen
        known: dict[str, list[Hit]] = {}
        for start, end in spans:
            value = text[start:end]
            if value not in known:
                may = screen is None or not value.isascii() or re.search(screen, value)
                known[value] = self.detector.find(value, lifted=lifted, threshold=self.rule.threshold) if may else []
            for hit in known[value]:
                yield Hit(hit.entity, start + hit.start, start + hit.end, hit.score)


class Screened:
    """A sense that looks at its screen first."""

    __slots__ = ("beyond_ascii", "is_weak", "screen", "sense")

    def __init__(self, sense: Sense) -> None:
        self.sense = sense
        self.is_weak = sense.needs_context
        self.screen: re.Pattern[str] | None = re.compile(sense.screen) if sense.screen else None
        self.beyond_ascii = sense.detector.screens_all
        """Whether the screen tells something about every text, and not about ASCII alone."""

    def among(self, text: str, spans: Sequence[Span], wide: Collection[Span]) -> Iterator[Span]:
        """Those of some spans of a text, in order and apart, in which there may be a hit.

        ``text``: what is ``shown`` of it. ``wide``: the spans with characters beyond ASCII.
        """
        screen = self.screen
        if screen is None:
            yield from spans
            return
        unsure = () if self.beyond_ascii else wide
        at = 0
        while at < len(spans):
            start, end = spans[at]
            if unsure and spans[at] in unsure:
                yield spans[at]
                at += 1
                continue
            # Found in the rest of the text: so it is looked for once, however many spans are before it.
            match = screen.search(text, start)
            nearest = match.start() if match else len(text)
            if match and nearest < end:
                if match.end() <= end or screen.search(text, nearest, end):
                    yield spans[at]
                at += 1
            elif unsure:
                after = at + 1
                while after < len(spans) and spans[after][1] <= nearest:
                    if spans[after] in unsure:
                        yield spans[after]
                    after += 1
                at = after
            else:
                at = bisect_right(spans, (nearest, len(text)), at + 1)
                # The last one that begins before it may hold it, unless it is the one that was just passed.
                at -= spans[at - 1][1] > nearest
