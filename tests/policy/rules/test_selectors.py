"""Selectors as bitmasks."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.model import Agent
from policy.rules import selectors
from policy.rules.selectors import AgentDimension, ExactDimension, GlobDimension, claims_match, glob_matches

globs = st.text(alphabet="ab-*", min_size=1, max_size=6)
values = st.text(alphabet="ab-", max_size=8)
pattern_lists = st.lists(st.none() | st.lists(globs, min_size=1, max_size=3).map(tuple), max_size=12)


def by_regex(pattern: str, value: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value) is not None


@given(globs, values)
def test_a_glob_is_what_its_regular_expression_is(pattern: str, value: str) -> None:
    """``*`` stands for any run of characters, also none; everything else for itself."""
    assert glob_matches(pattern, value) == by_regex(pattern, value)


@given(pattern_lists, st.lists(values, max_size=5))
def test_globs_equal_a_linear_scan(patterns: list[Any], asked: list[str]) -> None:
    """The mask has bit i exactly if one of the patterns of entry i matches, however often one asks."""
    dimension = GlobDimension((entry, 1 << at) for at, entry in enumerate(patterns))
    for value in [*asked, *asked]:
        want = sum(
            1 << at
            for at, entry in enumerate(patterns)
            if entry is None or any(by_regex(pattern, value) for pattern in entry)
        )
        assert dimension.mask(value) == want
    assert dimension.open == sum(1 << at for at, entry in enumerate(patterns) if entry is None or "*" in entry)


@given(pattern_lists, st.lists(values, max_size=4))
def test_exact_equals_a_linear_scan(patterns: list[Any], asked: list[str]) -> None:
    """Equality only; ``*`` alone means any."""
    dimension = ExactDimension((entry, 1 << at) for at, entry in enumerate(patterns))

    def want(entry: Any, found: list[str]) -> bool:
        return entry is None or "*" in entry or bool(set(entry) & set(found))

    assert dimension.mask_any(asked) == sum(1 << at for at, entry in enumerate(patterns) if want(entry, asked))
    for value in asked:
        assert dimension.mask(value) == dimension.mask_any([value])


def test_memos_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come from agents: what is remembered of them does not grow without end."""
    monkeypatch.setattr(selectors, "MEMO_SIZE", 8)
    dimension = GlobDimension([(("a*",), 1)])
    agents = AgentDimension([(None, 1)], [(("g",), 1)], [(None, 1)])
    for at in range(100):
        assert dimension.mask(f"a{at}") == 1
        assert dict(agents.masks(Agent(issuer="i", subject="s", groups=(f"g{at}",))))["agents.groups"] == 0
    assert len(dimension._memo) <= 8
    assert len(agents._memo) <= 8


def test_agents() -> None:
    """Issuers, groups and subjects are separate selectors; one of an agent's groups is enough."""
    dimension = AgentDimension(
        subjects=[(("s",), 1), (None, 2), (None, 4)],
        groups=[(None, 1), (("g", "h"), 2), (None, 4)],
        issuers=[(None, 1), (None, 2), (("corp",), 4)],
    )

    def left(**agent: Any) -> int:
        masks = dict(dimension.masks(Agent(**agent)))
        return masks["agents.subjects"] & masks["agents.groups"] & masks["agents.issuers"]

    assert left(issuer="corp", subject="s", groups=("x", "h")) == 7
    assert left(issuer="other", subject="s", groups=("h",)) == 3
    assert left(issuer="corp", subject="t") == 4


CLAIMS = {
    "tier": "gold",
    "level": 3,
    "beta": True,
    "roles": ["reader", "writer"],
    "realm": {"roles": ["admin"], "a.b": 1},
    "https://acme.example/team": "core",
    "x.y": "flat",
    "x": {"y": "nested"},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"tier": "gold"}, True),
        ({"tier": ("silver", "gold")}, True),
        ({"tier": "gold", "level": 3}, True),
        ({"tier": "gold", "level": 4}, False),
        ({"roles": "writer"}, True),
        ({"roles": "owner"}, False),
        ({"realm.roles": "admin"}, True),
        ({"realm.roles.x": "admin"}, False),
        ({"https://acme.example/team": "core"}, True),
        ({"x.y": "flat"}, True),
        ({"x.y": "nested"}, False),
        ({"beta": True}, True),
        ({"beta": 1}, False),
        ({"level": "3"}, False),
        ({"absent": False}, False),
        ({"nothing": False}, False),
        ({"nothing": ""}, False),
        ({"realm": "admin"}, False),
    ],
)
def test_claims(wanted: dict[str, Any], found: bool) -> None:
    """Equality with type; a list contains; a dotted path leads inside where no claim has that very name."""
    assert claims_match(wanted, CLAIMS) is found
