"""Judging what is left around hits, until there is no more to find.

What is found in a text cuts it into pieces, and each of them is judged again by itself, as it will stand after
masking. Texts may be made of thousands of hits: so every round asks each detector once about all pieces at which it has
to look, and a detector that had nothing to look at in a piece is not asked about what is left of it. A screen that
matches in a part of a text matches in the text (``masking.screens``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from masking.detection import Hit, distinct
from masking.errors import Unmaskable
from masking.senses import Screened, Sense, Span

type Lifted = Callable[[Sense], bool]
type Known = dict[tuple[Screened, bool], dict[str, list[Hit]]]
"""What senses, lifted or not, found in pieces: what is left of a text is judged once more where it is read again."""


def found_in(  # noqa: PLR0913  (all of one question)
    text: str, spans: Sequence[Span], senses: Sequence[Screened], *, lifted: Lifted, budget: int, known: Known
) -> list[Hit]:
    """All hits in some spans of a text and in what is left of them.

    ``budget``: how many characters may be judged; raises ``Unmaskable`` when they are used up.
    """
    if len(spans) == 1:
        start, end = spans[0]
        piece = text[start:end]
        ascii_only = piece.isascii()
        senses = [each for each in senses if each.may_hit(piece, ascii_only=ascii_only)]
        asked: list[tuple[Screened, Sequence[Span]]] = [(each, spans) for each in senses]
    else:
        asked = _asked(text, [(each, spans) for each in senses])
    found: list[Hit] = []
    while spans:
        budget -= sum(end - start for start, end in spans)
        if budget < 0:
            raise Unmaskable("a text does not settle")
        here = _round(text, asked, lifted, known)
        found += (hit for hits in here.values() for hit in hits)
        gaps = {span: [*_gaps(hits, span)] for span, hits in here.items()}
        spans = [gap for each in gaps.values() for gap in each]
        asked = _asked(text, [(sense, _left(of_sense, gaps)) for sense, of_sense in asked])
    return found


def _left(spans: Sequence[Span], gaps: Mapping[Span, Sequence[Span]]) -> list[Span]:
    return [gap for span in spans for gap in gaps.get(span, ())]


def _asked(text: str, candidates: Sequence[tuple[Screened, Sequence[Span]]]) -> list[tuple[Screened, Sequence[Span]]]:
    """Which sense has to look at which spans."""
    wide: set[Span] = set()
    if not text.isascii():
        every = {span for _, spans in candidates for span in spans}
        wide = {(start, end) for start, end in every if not text[start:end].isascii()}
    looking = ((sense, [*sense.among(text, spans, wide)]) for sense, spans in candidates if spans)
    return [(sense, spans) for sense, spans in looking if spans]


def _round(
    text: str, asked: Sequence[tuple[Screened, Sequence[Span]]], lifted: Lifted, known: Known
) -> dict[Span, list[Hit]]:
    """The hits in every span that has some."""
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
                at = span[0]
                moved = (Hit(hit.entity, hit.start + at, hit.end + at, hit.score) for hit in hits)
                found.setdefault(span, []).extend(moved)
    return {span: distinct(hits) if len(hits) > 1 else hits for span, hits in found.items()}


def _gaps(hits: Sequence[Hit], span: Span) -> Iterator[Span]:
    """What is left of a span that has hits."""
    position = span[0]
    for hit in sorted(hits, key=lambda each: each.start):
        if hit.start > position:
            yield position, hit.start
        position = max(position, hit.end)
    if position < span[1]:
        yield position, span[1]
