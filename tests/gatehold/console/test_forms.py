"""Laws of forms: what browsers send is read as they meant it; what is no form is refused, never half read."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.console.forms import MOST_FIELDS, one, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=20))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    """Every value, in its order."""
    form = parse(urlencode(pairs).encode())
    assert {name: [value for key, value in pairs if key == name] for name, _ in pairs} == {
        name: list(values) for name, values in form.items()
    }


@given(st.binary())
def test_anything_is_read_or_refused(body: bytes) -> None:
    """By ValueError alone."""
    try:
        parse(body)
    except ValueError:
        return


def test_fields_are_bounded() -> None:
    """And one value is one."""
    with pytest.raises(ValueError, match="fields"):
        parse(b"&".join([b"a=1"] * (MOST_FIELDS + 1)))
    assert one(parse(b"a=1"), "a") == "1"
    assert one(parse(b"a=1"), "b", "none") == "none"
    with pytest.raises(ValueError, match="2 times"):
        one(parse(b"a=1&a=2"), "a")
