"""Judging what is left around hits, until there is no more to find.

What is found in a text cuts it into pieces, and each of them is judged again by itself, as it will stand after
masking. Texts may be made of thousands of hits: so every round asks each detector once about all pieces at which it has
to look, and a detector that had nothing to look at in a piece is not asked about what is left of it. A screen that
matches in a part of a text matches in the text (``masking.screens``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from masking.detection import Hit, distinct
from masking.errors import Unmaskable
from masking.gaps import Span, between
from masking.senses import Screened, Sense
from masking.shown import shown

type Lifted = Callable[[Sense], bool]
type Known = dict[tuple[Screened, bool], dict[str, list[Hit]]]
"""What senses, lifted or not, found in pieces: what is left of a text is judged once more where it is read again."""


def found_in(  # noqa: PLR0913  (all of one question)
    text: str, spans: Sequence[Span], senses: Sequence[Screened], *, lifted: Lifted, budget: int, known: Known
) -> list[Hit]:
    """All hits in some spans of a text and in what is left of them.

    ``budget``: how many characters may be judged; raises ``Unmaskable`` when they are used up.
    """
    screened = shown(text)
    asked = _asked(text, screened, [(each, spans) for each in senses])
    asked = [(each, of_sense) for each, of_sense in asked if not each.is_weak or lifted(each.sense)]
    found: list[Hit] = []
    while spans:
        for start, end in spans:
            budget -= end - start
        if budget < 0:
            raise Unmaskable("a text does not settle")
        if not asked:
            break
        here = _round(text, asked, lifted, known)
        gaps: dict[Span, list[Span]] = {}
        for span, hits in here.items():
            found += hits
            gaps[span] = between([(hit.start, hit.end) for hit in hits], span)
        spans = [gap for each in gaps.values() for gap in each]
        asked = _asked(text, screened, [(sense, _left(of_sense, gaps)) for sense, of_sense in asked])
    return found


def _left(spans: Sequence[Span], gaps: Mapping[Span, Sequence[Span]]) -> list[Span]:
    return [gap for span in spans for gap in gaps.get(span, ())]


def _asked(
    text: str, screened: str, candidates: Sequence[tuple[Screened, Sequence[Span]]]
) -> list[tuple[Screened, Sequence[Span]]]:
    """Which sense has to look at which spans; ``screened``: what is ``shown`` of the text."""
    wide: set[Span] = set()
    if not text.isascii():
        every = {span for _, spans in candidates for span in spans}
        wide = {(start, end) for start, end in every if not text[start:end].isascii()}
    looking = ((sense, [*sense.among(screened, spans, wide)]) for sense, spans in candidates if spans)
    return [(sense, spans) for sense, spans in looking if spans]


def _round(
    text: str, asked: Sequence[tuple[Screened, Sequence[Span]]], lifted: Lifted, known: Known
) -> dict[Span, list[Hit]]:
    """The hits in every span that has some, in order."""
    found: dict[Span, list[Hit]] = {}
    for screened, spans in asked:
        sense = screened.sense
        is_lifted = lifted(sense)
        of_sense = known.setdefault((screened, is_lifted), {})
        for span in spans:
            piece = text[span[0] : span[1]]
            hits = of_sense.get(piece)
            if hits is None:
                hits = of_sense[piece] = sense.hits(piece, lifted=is_lifted)
            if hits:
                found.setdefault(span, []).extend(_moved(hits, span[0]))
    return {span: distinct(hits) if len(hits) > 1 else hits for span, hits in found.items()}


def _moved(hits: Iterable[Hit], offset: int) -> Iterable[Hit]:
    return [Hit(hit.entity, hit.start + offset, hit.end + offset, hit.score) for hit in hits] if offset else hits
