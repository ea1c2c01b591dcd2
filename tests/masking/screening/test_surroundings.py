"""Whether a place stands in a string is told by its neighbours, as counting all quotes before it would tell."""

import json

from hypothesis import given
from hypothesis import strategies as st

from masking.screening.escapes import redone, undone
from masking.screening.surroundings import WALK, Surroundings, last_quote, next_quote, quotes

STRINGS = st.text('a,:{}[] "\\\n', max_size=4)
QUOTED = st.text('a,:{}[] "', max_size=4)
"""What has no other escapes than those of quotes."""


def values(strings: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.recursive(
        strings | st.integers(0, 99) | st.none(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
        max_leaves=20,
    )


VALUES = values(STRINGS) | values(QUOTED)


def borders(bare: bytes) -> list[int]:
    """Where strings begin and end, told from the begin."""
    found, at = [], 0
    while at < len(bare):
        if bare[at] == 0x22:
            found.append(at)
        at += 2 if bare[at] == 0x5C else 1
    return found


@given(VALUES, st.sampled_from([None, 1]), st.data())
def test_a_place_is_inside_as_the_quotes_before_it_tell(value: object, indent: int | None, data: st.DataObject) -> None:
    """Also where strings hold nothing but what stands between strings, and whichever places are asked about."""
    bare = undone(json.dumps([value], indent=indent).encode()).bare
    around = Surroundings(bare, WALK)
    for at in sorted(data.draw(st.sets(st.integers(0, len(bare) - 1), max_size=len(bare)))):
        assert around.is_inside(at) == bool(sum(place < at for place in borders(bare)) & 1)


@given(VALUES, st.data())
def test_quotes_that_are_part_of_a_string_are_passed_over(value: object, data: st.DataObject) -> None:
    """In either direction, and in what is counted, wherever a part of a text begins and ends."""
    bare = undone(json.dumps([value]).encode()).bare
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(bare))] * 2)))
    within = [place for place in borders(bare) if start <= place < end]
    assert next_quote(bare, start, end) == (within[0] if within else -1)
    assert last_quote(bare, start, end) == (within[-1] if within else -1)
    assert quotes(bare, start, end) == len(within)


@given(values(QUOTED | STRINGS), st.sampled_from([None, 1]))
def test_the_nearest_name_above_a_string(value: object, indent: int | None) -> None:
    """That of its member, or of the array that it stands in, however deeply."""
    text = json.dumps({"top": value}, indent=indent).encode()
    bare = undone(text).bare
    around = Surroundings(bare, WALK)
    starts = [place for place in borders(bare)[::2] if around.following(next_quote(bare, place + 1) + 1) != 0x3A]
    names = [json.loads(b'"' + redone(around.key(start)) + b'"') for start in starts]
    assert names == [name for name, each in leaves({"top": value}) if isinstance(each, str)]


def leaves(value: object, name: str = "") -> list[tuple[str, object]]:
    """With the name that each stands under, in order."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, key)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, name)]
    return [(name, value)]
