"""What is looked for first matches wherever what is behind it does; nothing is left out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.numbers import is_card_number
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import resolve
from masking.screening.families import Family, for_documents, for_texts
from masking.screening.patterns import CARD_NUMBERS, EXPONENTS, patterns_of

PROFILES = resolve({})
PLAN = Plan([PROFILES[name] for name in ("pii", "pci", "kubernetes")], Operators(b"k" * 32))
GROUPS = patterns_of(PLAN) or ()
FAMILIES = (*for_documents(GROUPS), *for_texts(GROUPS))
PAIRS = sorted(
    {
        (gate, pattern)
        for family in FAMILIES
        for gate, group in zip(family.gates, family.behind, strict=False)
        for pattern in group
        if pattern != CARD_NUMBERS
    }
)
CARD_GATE = next(
    gate
    for family in for_texts(GROUPS)
    for gate, group in zip(family.gates, family.behind, strict=False)
    if CARD_NUMBERS in group
)


def _every(families: list[Family]) -> list[str]:
    return sorted(pattern for family in families for group in family.behind for pattern in group)


def test_every_expression_is_in_one_family() -> None:
    """And nothing else."""
    given_ = sorted(pattern for group in GROUPS for pattern in group)
    assert len(GROUPS) > 2
    assert _every(for_documents(GROUPS)) == given_ == _every(for_texts(GROUPS))


@pytest.mark.parametrize("pair", PAIRS, ids=[str(number) for number in range(len(PAIRS))])
@given(data=st.data())
def test_what_matches_an_expression_matches_its_gate(pair: tuple[str, str], data: st.DataObject) -> None:
    """For examples made from the expression."""
    gate, pattern = (re.compile(each.encode("latin-1")) for each in pair)
    assert gate.search(data.draw(st.from_regex(pattern)))


@given(
    card=st.sampled_from(["4111111111111111", "378282246310005", "6011111111111117", "4222222222222"]),
    point=st.integers(-8, 20),
    zeros=st.text("0", max_size=6),
    mark=st.sampled_from(["e", "E", "e0", "E00", "e000"]),
    after=st.sampled_from(["", ",", "}", "]", " ", "\n"]),
)
def test_every_way_of_writing_the_number_of_a_card_is_looked_for(
    card: str, point: int, zeros: str, mark: str, after: str
) -> None:
    """With its point anywhere and zeros around."""
    if point <= 0:
        mantissa = f"0.{'0' * -point}{card}{zeros}"
    else:
        mantissa = f"{card[:point]:0<{point}}.{card[point:]}{zeros or '0'}"
    exponent = len(card) - point
    mark = f"{mark[0]}-{mark[1:]}" if exponent < 0 else mark
    looked_for = [re.compile(each.encode()) for each in (CARD_NUMBERS, *EXPONENTS)]
    for raw in (f"{mantissa}{mark}{abs(exponent)}", f"{card}.{zeros or '0'}", card):
        if is_card_number(raw):
            found = [each.search((raw + after).encode()) is not None for each in looked_for]
            assert any(found)
            assert not found[0] or re.search(CARD_GATE, raw)
