"""Law: a path leads to one claim or nowhere, whatever a provider sends."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatehold.people.claims import claim

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4), st.text(max_size=10))
def test_it_never_fails(claims: dict[str, Any], path: str) -> None:
    """Nothing is found, or what is there."""
    found = claim(claims, path)
    if path in claims:
        assert found == claims[path]


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=4), st.integers())
def test_steps_lead_there(steps: list[str], value: int) -> None:
    """As deep as one likes."""
    claims: Any = value
    for step in reversed(steps):
        claims = {step: claims}
    assert claim(claims, ".".join(steps)) == value
