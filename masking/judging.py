"""The verdict on one text: what in it is to be hidden.

A text is judged with the name of the member that holds it: words of the name, and of the text itself, make weak
patterns surer. It is judged in every reading (``masking.views``), and base64 in it is looked into. After a hit, what
is left around it is judged again by itself, as it will stand after masking: so masking twice changes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from masking import guard, operators, packed, views
from masking.detection import Detector, Hit, distinct
from masking.edits import Edit, apply, merge
from masking.embedded import embedded_addresses, embedded_cards, embedded_dashed
from masking.errors import Unmaskable
from masking.memory import remembered
from masking.ner import NOBODY, Asked, NerRules
from masking.numbers import is_card_number
from masking.operators import Operators, Treatment, strictest
from masking.profiles.resolving import EntityRule

_PACKED_DEPTH = 2
_ROUNDS, _ROUNDS_LEAST = 16, 1 << 16
"""How many times over a text may be judged while it is cut up by hits, on average and at least (characters)."""
_TOKEN_OPERATORS = frozenset({"replace", "pseudonym", "hash"})


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
            case "US_ITIN" | "US_SSN":
                spans = embedded_dashed(text)
            case _:
                return
        for start, end in spans:
            for hit in self.detector.find(text[start:end], lifted=lifted, threshold=self.rule.threshold):
                yield Hit(hit.entity, start + hit.start, start + hit.end, hit.score)


_EMBEDDED_SCREENS = {"CREDIT_CARD": r"[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{3}"}


type _Screened = tuple[Sense, Callable[[str], object] | None]


class Judge:
    """What the detectors of some profiles make of texts. Safe to use from several threads."""

    def __init__(
        self,
        senses: Sequence[Sense],
        hand: Operators,
        labelled: Iterable[tuple[str, Treatment]] = (),
        ner: NerRules | None = None,
        named: Sequence[Sequence[Sense]] = (),
    ) -> None:
        """``labelled``: entities whose values are hidden for their place, which leave tokens as well.

        ``named``: for each ``ner`` part what is asked about the values that it names.
        """
        self._ner = ner or NerRules(())
        self._named: list[list[_Screened]] = [[(sense, None) for sense in of_one] for of_one in named]
        self._senses: list[_Screened] = [
            (sense, re.compile(sense.screen).search if sense.screen else None) for sense in senses
        ]
        self._treatments: dict[str, Treatment] = {}
        for sense in (*senses, *(each for of_one in named for each in of_one)):
            entity, treatment = sense.rule.entity, sense.rule.treatment
            self._treatments[entity] = strictest(self._treatments.get(entity, treatment), treatment)
        self._hand = hand
        self._weak = [each for each in self._senses if each[0].needs_context]
        self._strong = [each for each in self._senses if not each[0].needs_context]
        self._unscreened = [each for each in self._strong if each[1] is None]
        self._screen = _any_of(f"(?:{sense.screen})" for sense, _ in self._strong if sense.screen)
        self._speaks = _any_of(re.escape(word) for sense, _ in self._weak for word in sense.detector.context)
        every = [*self._treatments.items(), *labelled]
        kept = (each.keep_last for _, each in every if each.operator == "mask")
        self._tokens = operators.tokens({entity for entity, _ in every}, max(kept, default=0))
        self._partial = any(each.operator not in _TOKEN_OPERATORS for each in self._treatments.values())
        self._cards = self._treatments.get("CREDIT_CARD")
        self.lifted_by = remembered(self._lifted_by)
        self.tells = remembered(self._tells)

    def edits(self, text: str, key: str = "", *, depth: int = 0, asked: Asked = NOBODY) -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping. ``asked``: ``ner`` parts that name its place."""
        if self._ner:
            asked |= self._ner.named(key)
        found = list(dict.fromkeys((*self._read(text, key, asked), *self._unpacked(text, depth))))
        return self._settled(text, key, found, asked) if found and self._partial else found

    @property
    def senses(self) -> tuple[Sense, ...]:
        """Everything that is looked for in every text."""
        return tuple(sense for sense, _ in self._senses)

    def speaks_for_weak(self, key: str) -> bool:
        """Whether a name makes something count that would not by itself."""
        lifted = self.lifted_by(key)
        return bool(lifted) and any(sense.rule.entity in lifted for sense, _ in self._weak)

    def number(self, raw: str) -> Edit | None:
        """The replacement of a JSON number, if it is a card number; it stays a number."""
        if self._cards is None or len(raw) < 13 or not is_card_number(raw):
            return None
        return whole("CREDIT_CARD", raw, self._hand.number(self._cards, raw), self._cards)

    def is_token(self, text: str) -> bool:
        """Whether ``text`` is what an operator left behind."""
        return self._tokens.fullmatch(text) is not None

    def hits(self, text: str, key: str = "", asked: Asked = NOBODY) -> list[Hit]:
        """Everything detected in ``text``, in order."""
        senses = self._senses_for(text, key)
        if asked:
            senses = [*senses, *(each for number in sorted(asked) for each in self._named[number])]
        if not senses:
            return []
        lifted = self._lift(text, key)
        found: list[Hit] = []
        pieces = self._pieces(text)
        budget = _ROUNDS * len(text) + _ROUNDS_LEAST
        while pieces:
            start, end = pieces.pop()
            budget -= end - start
            if budget < 0:
                raise Unmaskable("a text does not settle")
            piece = text if (start, end) == (0, len(text)) else text[start:end]
            here = _detected(senses, piece, lifted)
            found += (Hit(hit.entity, hit.start + start, hit.end + start, hit.score) for hit in here)
            pieces += ((start + a, start + b) for a, b in _gaps(here, end - start)) if here else ()
        return sorted(found, key=lambda hit: (hit.start, hit.end))

    def _read(self, text: str, key: str, asked: Asked) -> Iterator[Edit]:
        for view in views.readings(text):
            for hit in self.hits(view.text, key, asked):
                treatment = self._treatments[hit.entity]
                yield Edit(
                    start=view.origin(hit.start),
                    end=view.origin(hit.end),
                    entity=hit.entity,
                    score=hit.score,
                    replacement=self._hand.replacement(treatment, hit.entity, view.text[hit.start : hit.end]),
                    strictness=treatment.strictness,
                )

    def _senses_for(self, text: str, key: str) -> list[_Screened]:
        """Those that could find anything; every one for a text that is not screened."""
        if not text.isascii():
            return self._senses
        chosen = self._strong if self._screen(text) else self._unscreened
        if self._weak and (self.lifted_by(key) or self._speaks(text.lower())):
            return [*chosen, *self._weak]
        return chosen

    def _lift(self, text: str, key: str) -> Callable[[Sense], bool]:
        """Tells whether a word of the key or of the text speaks for a detector; own tokens do not speak."""
        by_key = self.lifted_by(key)
        words: str | None = None

        def lifted(sense: Sense) -> bool:
            nonlocal words
            if sense.rule.entity in by_key:
                return True
            if words is None:
                words = self._tokens.sub(" ", text).lower()
            return sense.speaks(words)

        return lifted

    def _lifted_by(self, key: str) -> frozenset[str]:
        name = key.lower()
        spoken_for = frozenset(sense.rule.entity for sense, _ in self._senses if sense.speaks(name))
        # No entity has a space in its name.
        return spoken_for | {f"ner {number}" for number in self._ner.named(key)} if self._ner else spoken_for

    def _tells(self, name: str) -> bool:
        """Whether a name itself holds something that is to be hidden."""
        return bool(self.edits(name))

    def _pieces(self, text: str) -> list[tuple[int, int]]:
        """The spans between tokens."""
        if "<" not in text and "*" not in text:
            return [(0, len(text))] if text else []
        spans = [match.span() for match in self._tokens.finditer(text)]
        return [(start, end) for start, end in _between(spans, len(text)) if end > start]

    def _unpacked(self, text: str, depth: int) -> Iterator[Edit]:
        """Runs of base64 that hold a text with something to hide, each replaced by the base64 of the masked text."""
        if depth >= _PACKED_DEPTH:
            return
        for start, end, inner in packed.texts(text):
            edits = merge(self.edits(inner, depth=depth + 1))
            if edits:
                sure = max(edits, key=lambda edit: edit.score)
                replacement = packed.pack(apply(inner, edits), like=text[start:end])
                yield replace(sure, start=start, end=end, replacement=replacement)

    def _settled(self, text: str, key: str, found: list[Edit], asked: Asked) -> list[Edit]:
        """``found``, unless what it makes of the text would be masked again: then nothing of the text is left."""
        masked = apply(text, merge(found))
        again = apply(masked, merge((*self._read(masked, key, asked), *self._unpacked(masked, 0))))
        if again == masked:
            return found
        entity = max(found, key=lambda edit: edit.score).entity
        return [whole(entity, text, f"<{entity}>", Treatment())]


def _any_of(patterns: Iterable[str]) -> Callable[[str], object]:
    return re.compile("|".join(dict.fromkeys(patterns)) or r"(?!)").search


def _detected(senses: Sequence[_Screened], piece: str, lifted: Callable[[Sense], bool]) -> list[Hit]:
    found: list[Hit] = []
    ascii_only = piece.isascii()
    for sense, screen in senses:
        if screen is None or not ascii_only or screen(piece):
            found += sense.hits(piece, lifted=lifted(sense))
    return distinct(found) if len(found) > 1 else found


def whole(entity: str, value: str, replacement: str, treatment: Treatment) -> Edit:
    """The edit that replaces a whole value."""
    return Edit(
        start=0,
        end=len(value),
        entity=entity,
        score=1.0,
        replacement=replacement,
        strictness=treatment.strictness,
    )


def _gaps(hits: Sequence[Hit], length: int) -> Iterator[tuple[int, int]]:
    covered: list[tuple[int, int]] = []
    for hit in sorted(hits, key=lambda each: each.start):
        if covered and hit.start < covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], hit.end))
        else:
            covered.append((hit.start, hit.end))
    return _between(covered, length)


def _between(spans: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in spans:
        yield position, start
        position = end
    yield position, length
