"""Law: an input reads as it was written, and whatever is no input says so."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.knowledge import KnownObjects
from policy.history.inputs import PARTS, Input
from policy.model import UNKNOWN
from tests.policy.history.recorded import call

OBJECTS = (
    st.just(UNKNOWN) | st.none() | st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2)
)
PLACES = st.lists(st.lists(st.text(max_size=3), max_size=2).map(tuple), min_size=1, max_size=2).map(tuple)
INPUTS = st.builds(
    Input,
    at=st.integers(0, 2**32).map(float),
    groups=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    claims=st.dictionaries(st.text(max_size=3), st.booleans() | st.text(max_size=3), max_size=2),
    purpose=st.text(max_size=5),
    body=st.sampled_from(["kept", "gone"]),
    encoding=st.sampled_from(["", "gzip"]),
    known=st.builds(KnownObjects, old=OBJECTS, new=OBJECTS, parent=st.just(UNKNOWN)),
    hidden=st.dictionaries(st.sampled_from(PARTS), PLACES, max_size=3),
)


@given(INPUTS)
def test_round_trip(noted: Input) -> None:
    """Text and back."""
    assert Input.from_text(noted.to_text()) == noted


@given(
    st.text(max_size=20)
    | st.recursive(
        st.none() | st.integers(),
        lambda inner: st.dictionaries(st.sampled_from(["at", "hidden", "claims", "objects", "body"]), inner),
    ).map(json.dumps)
)
def test_everything_else_is_refused(text: Any) -> None:
    """ValueError and nothing else."""
    with suppress(ValueError):
        Input.from_text(text)


def test_unknown_parts() -> None:
    """A part that this version does not know could hide anything."""
    with pytest.raises(ValueError, match="no input"):
        Input.from_text('{"at":1,"hidden":{"else":[[]]}}')


def test_which_calls_were_judged() -> None:
    """Policy was asked where its revision is known, and would have been where a search of the request came first."""
    assert call(revision="r").was_judged
    assert call(revision="", code="dlp-blocked").was_judged
    assert not call(revision="", code="malformed").was_judged
