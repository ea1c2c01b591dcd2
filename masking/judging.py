"""The verdict on one text: what in it is to be hidden.

A text is judged with the name of the member that holds it: words of the name, and of the text itself, make weak
patterns surer. It is judged in every reading (``masking.views``), and base64 in it is looked into. After a hit, what
is left around it is judged again by itself, as it will stand after masking, and looked into for base64: so masking
twice changes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from masking import operators, packed, views
from masking.detection import Hit
from masking.edits import Edit, apply, merge
from masking.gaps import Span, between
from masking.memory import remembered
from masking.ner import NOBODY, Asked, NerRules
from masking.numbers import is_card_number
from masking.operators import Operators, Treatment, strictest
from masking.rounds import Known, found_in
from masking.screening.superset import superset
from masking.senses import Screened, Sense
from masking.shown import shown
from masking.sieve import sieve

_PACKED_DEPTH = 2
_ROUNDS, _ROUNDS_LEAST = 16, 1 << 16
"""How many times over a text may be judged while it is cut up by hits, on average and at least (characters)."""
_TOKEN_OPERATORS = frozenset({"replace", "pseudonym", "hash"})

type Within = Callable[[str], Iterable[Edit]]
"""What is to be replaced in a text for the names and kinds in it, whatever its values look like."""


def _nothing(_text: str) -> tuple[Edit, ...]:
    return ()


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
        self._named = [[Screened(sense) for sense in of_one] for of_one in named]
        self._senses = [Screened(sense) for sense in senses]
        self._treatments: dict[str, Treatment] = {}
        for sense in (*senses, *(each for of_one in named for each in of_one)):
            entity, treatment = sense.rule.entity, sense.rule.treatment
            self._treatments[entity] = strictest(self._treatments.get(entity, treatment), treatment)
        self._hand = hand
        self._weak = [each for each in self._senses if each.is_weak]
        self._which = sieve([sense.screen and superset(sense.screen) for sense in senses])
        self._screen = _any_of(f"(?:{sense.screen})" for sense in senses if sense.screen and not sense.needs_context)
        self._speaks = _any_of(re.escape(word) for each in self._weak for word in each.sense.detector.context)
        every = [*self._treatments.items(), *labelled]
        kept = (each.keep_last for _, each in every if each.operator == "mask")
        self._tokens = operators.tokens({entity for entity, _ in every}, max(kept, default=0))
        self._partial = any(each.operator not in _TOKEN_OPERATORS for each in self._treatments.values())
        self._cards = self._treatments.get("CREDIT_CARD")
        self.lifted_by = remembered(self._lifted_by)
        self.tells = remembered(self._tells)

    def edits(
        self, text: str, key: str = "", *, depth: int = 0, asked: Asked = NOBODY, within: Within = _nothing
    ) -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping.

        ``asked``: ``ner`` parts that name its place. ``within``: what judges the texts in base64 as well.
        """
        if self._ner:
            asked |= self._ner.named(key)
        known: Known = {}
        read = [*self._read(text, key, asked, known)]
        unpacked = [*self._unpacked(text, read, depth, within)]
        found = _once(read, unpacked)
        if not unpacked and not (found and self._partial):
            return found

        def stays(edits: Sequence[Edit]) -> bool:
            masked = apply(text, merge(edits))
            read_again = unpacked or not self._is_final(text, edits)
            again = [*self._read(masked, key, asked, known)] if read_again else []
            again += self._unpacked(masked, again, depth, within)
            return apply(masked, merge(again)) == masked

        if stays(found):
            return found
        # Base64 of a masked text may look like a secret where that of the text did not.
        found = _once(read, [_as_token(edit) for edit in unpacked])
        return found if not self._partial or (unpacked and stays(found)) else all_of(text, found)

    @property
    def senses(self) -> tuple[Sense, ...]:
        """Everything that is looked for in every text."""
        return tuple(each.sense for each in self._senses)

    def speaks_for_weak(self, key: str) -> bool:
        """Whether a name makes something count that would not by itself."""
        lifted = self.lifted_by(key)
        return bool(lifted) and any(each.sense.rule.entity in lifted for each in self._weak)

    def number(self, raw: str) -> Edit | None:
        """The replacement of a JSON number, if it is a card number; it stays a number."""
        if self._cards is None or len(raw) < 13 or not is_card_number(raw):
            return None
        return whole("CREDIT_CARD", raw, self._hand.number(self._cards, raw), self._cards)

    def is_token(self, text: str) -> bool:
        """Whether ``text`` is what an operator left behind."""
        return self._tokens.fullmatch(text) is not None

    def without_tokens(self, text: str) -> str:
        """``text`` with a space where operators left something behind."""
        return self._tokens.sub(" ", text)

    def hits(self, text: str, key: str = "", asked: Asked = NOBODY, known: Known | None = None) -> list[Hit]:
        """Everything detected in ``text``, in order."""
        senses = self._senses_for(text, key)
        if asked:
            senses = [*senses, *(each for number in sorted(asked) for each in self._named[number])]
        if not senses:
            return []
        budget = _ROUNDS * len(text) + _ROUNDS_LEAST
        lifted = self._lift(text, key)
        known = {} if known is None else known
        found = found_in(text, self._pieces(text), senses, lifted=lifted, budget=budget, known=known)
        return sorted(found, key=lambda hit: (hit.start, hit.end)) if len(found) > 1 else found

    def _read(self, text: str, key: str, asked: Asked, known: Known) -> Iterator[Edit]:
        for view in views.readings(text):
            for hit in self.hits(view.text, key, asked, known):
                treatment = self._treatments[hit.entity]
                yield Edit(
                    start=view.origin(hit.start),
                    end=view.origin(hit.end),
                    entity=hit.entity,
                    score=hit.score,
                    replacement=self._hand.replacement(treatment, hit.entity, view.text[hit.start : hit.end]),
                    strictness=treatment.strictness,
                )

    def _senses_for(self, text: str, key: str) -> list[Screened]:
        """Those that could find anything."""
        chosen = self._that_may_hit(text)
        if not self._weak or not text.isascii() or self._speaks(text.lower()):
            return chosen
        by_key = self.lifted_by(key)
        return [each for each in chosen if not each.is_weak or each.sense.rule.entity in by_key]

    def _that_may_hit(self, text: str) -> list[Screened]:
        ascii_only = text.isascii()
        if self._which:
            found = set(self._which(shown(text)))
            chosen = enumerate(self._senses)
            return [each for at, each in chosen if at in found or not (ascii_only or each.beyond_ascii)]
        if not ascii_only or self._screen(text):
            return self._senses
        return [each for each in self._senses if each.is_weak or each.screen is None]

    def _lift(self, text: str, key: str) -> Callable[[Sense], bool]:
        """Tells whether a word of the key or of the text speaks for a detector; own tokens do not speak."""
        by_key = self.lifted_by(key)
        words: str | None = None
        known: dict[tuple[str, ...], bool] = {}

        def lifted(sense: Sense) -> bool:
            nonlocal words
            if sense.rule.entity in by_key:
                return True
            if words is None:
                words = self.without_tokens(text).lower()
            context = sense.detector.context
            if context not in known:
                known[context] = sense.speaks(words)
            return known[context]

        return lifted

    def _lifted_by(self, key: str) -> frozenset[str]:
        name = key.lower()
        spoken_for = frozenset(each.sense.rule.entity for each in self._senses if each.sense.speaks(name))
        # No entity has a space in its name.
        return spoken_for | {f"ner {number}" for number in self._ner.named(key)} if self._ner else spoken_for

    def _tells(self, name: str) -> bool:
        """Whether a name itself holds something that is to be hidden."""
        return bool(self.edits(name))

    def _pieces(self, text: str) -> list[Span]:
        """The spans between tokens, in order."""
        if "<" not in text and "*" not in text and "&" not in text:
            return [(0, len(text))] if text else []
        spans = [match.span() for match in self._tokens.finditer(text)]
        return between(spans, (0, len(text)))

    def _unpacked(self, text: str, read: Sequence[Edit], depth: int, within: Within) -> Iterator[Edit]:
        """Runs of base64 that hold a text with something to hide, each replaced by the base64 of the masked text."""
        if depth >= _PACKED_DEPTH:
            return
        for start, end, inner in packed.texts_between(text, [(edit.start, edit.end) for edit in merge(read)]):
            # Of equals the first one wins, and keeps JSON in a text JSON.
            edits = merge([*within(inner), *self.edits(inner, depth=depth + 1, within=within)])
            if edits:
                sure = max(edits, key=lambda edit: edit.score)
                replacement = packed.pack(apply(inner, edits), like=text[start:end])
                yield replace(sure, start=start, end=end, replacement=replacement)

    def _is_final(self, text: str, found: Sequence[Edit]) -> bool:
        """Whether nothing of a text is left but pieces that were judged by themselves, and tokens between them."""
        if self._ner or not text.isascii() or "*" in text or not views.is_plain(text):
            return False
        return all(self._treatments[edit.entity].operator in _TOKEN_OPERATORS for edit in found)


def _once(some: Sequence[Edit], others: Sequence[Edit]) -> list[Edit]:
    """All of them in order, equals once."""
    every = [*some, *others]
    return list(dict.fromkeys(every)) if len(every) > 1 else every


def _as_token(edit: Edit) -> Edit:
    return replace(edit, replacement=f"<{edit.entity}>")


def all_of(text: str, found: Sequence[Edit]) -> list[Edit]:
    """For a text that would be masked again as ``found`` leaves it: nothing of it is left."""
    entity = max(found, key=lambda edit: edit.score).entity
    return [whole(entity, text, f"<{entity}>", Treatment())]


def _any_of(patterns: Iterable[str]) -> Callable[[str], object]:
    return re.compile("|".join(dict.fromkeys(patterns)) or r"(?!)").search


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
