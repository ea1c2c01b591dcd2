"""Judging in rounds finds what judging piece after piece finds."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.detection import Hit, distinct
from masking.plan import Plan
from masking.rounds import found_in
from masking.senses import Screened, Sense

type MakePlan = Callable[..., Plan]
PIECES = st.sampled_from(
    [
        "bob@example.com", "4111 1111 1111 1111", "078-05-1123", "911-70-1234", "212-555-5555", "DE89370400440532013000",
        "943 476 5919", "AKIAIOSFODNN7EXAMPLQ", "password=hunter22x", "phone", " ", ", ", "-", "/", ":", "@", "\n", "x", "0", "é", "\uff14", "\u2013",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def plan(make_plan: MakePlan) -> Plan:
    return make_plan("pii", "pci", "secrets")


def one_by_one(text: str, senses: list[Sense], at: int = 0) -> set[Hit]:
    """Every sense asked about the whole text, then about each piece that is left of it."""
    hits = distinct(hit for sense in senses for hit in sense.hits(text, lifted=True))
    found = {Hit(hit.entity, hit.start + at, hit.end + at, hit.score) for hit in hits}
    covered = [any(hit.start <= place < hit.end for hit in hits) for place in range(len(text))]
    start = 0
    while hits and start < len(text):
        if covered[start]:
            start += 1
            continue
        end = next((place for place in range(start, len(text)) if covered[place]), len(text))
        found |= one_by_one(text[start:end], senses, at + start)
        start = end
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=9).map("".join))
def test_screens_and_rounds_change_nothing(plan: Plan, text: str) -> None:
    """With texts of hits beside hits, in ASCII and beyond."""
    senses = [Screened(sense) for sense in plan.judge.senses]
    found = found_in(text, [(0, len(text))], senses, lifted=lambda _: True, budget=1 << 20, known={})
    assert set(found) == one_by_one(text, list(plan.judge.senses))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=4).map("".join), min_size=2, max_size=6))
def test_spans_are_judged_apart(plan: Plan, texts: list[str]) -> None:
    """Each as if it stood alone."""
    senses = [Screened(sense) for sense in plan.judge.senses]
    spans, want, position = [], set[Hit](), 0
    for text in texts:
        spans.append((position, position + len(text)))
        want |= one_by_one(text, list(plan.judge.senses), position)
        position += len(text) + 1
    found = found_in("#".join(texts), spans, senses, lifted=lambda _: True, budget=1 << 20, known={})
    assert set(found) == want
