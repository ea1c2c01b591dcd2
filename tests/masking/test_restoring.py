"""Values take the place of whole tokens at named places, and nothing else changes."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.profiles.paths import Step
from masking.restoring import Find, restore_json, restore_query

TOKEN = f"<E:{'bcdf' * 8}>"


def find(token: str, entity: str) -> str | None:
    return 'a "b"\n' if (token, entity) == (TOKEN, "E") else None


def at_to(steps: Sequence[Step]) -> Find | None:
    return find if list(steps) == ["to"] else None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('{ "to" :"TOKEN", "n":1e999, "o":"TOKEN"}', '{ "to" :"VALUE", "n":1e999, "o":"TOKEN"}'),
        ('{"to":"\\u003cE:bcdfbcdfbcdfbcdfbcdfbcdfbcdfbcdf>"}', '{"to":"VALUE"}'),
        ('{"to":"TOKEN "}', None),
        ('{"to":["TOKEN"]}', None),
        ('{"to":{"to":"TOKEN"}}', None),
        ('{"to":"<F:bcdfbcdfbcdfbcdfbcdfbcdfbcdfbcdf>"}', None),
        ('{"to":"<E:abcdef>"}', None),
        ('{"TOKEN":1, "to":""}', None),
        ('"TOKEN"', None),
    ],
)
def test_bodies(text: str, want: str | None) -> None:
    """The whole string at the place, however it is escaped."""
    text = text.replace("TOKEN", TOKEN)
    value = json.dumps('a "b"\n')[1:-1]
    assert restore_json(text, at_to) == (text if want is None else want.replace("TOKEN", TOKEN).replace("VALUE", value))


def test_what_is_no_json_is_refused() -> None:
    """Whoever asks has read it before."""
    with pytest.raises(Unmaskable):
        restore_json('{"to":', at_to)


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ("to=TOKEN&a=b", "to=VALUE&a=b"),
        ("a=%20&to=%3CE%3AREST%3E", "a=%20&to=VALUE"),
        ("t%6f=TOKEN", "t%6f=VALUE"),
        ("to=TOKEN&to=x&to=TOKEN", "to=VALUE&to=x&to=VALUE"),
        ("to=TOKEN+", None),
        ("from=TOKEN", None),
        ("TOKEN", None),
        ("to", None),
        ("", None),
    ],
)
def test_queries(query: str, want: str | None) -> None:
    """The whole value of a parameter, by its decoded name."""
    query = query.replace("TOKEN", TOKEN).replace("REST", "bcdf" * 8)
    value = "a%20%22b%22%0A"
    restored = restore_query(query, lambda name: find if name == "to" else None)
    assert restored == (query if want is None else want.replace("VALUE", value))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(TOKEN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("to"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_only_the_named_place_changes(value: object) -> None:
    """Any body reads the same afterwards, but for the value."""
    restored = json.loads(restore_json(json.dumps(value), at_to))
    if isinstance(value, dict) and value.get("to") == TOKEN:
        value = value | {"to": 'a "b"\n'}
    assert restored == value
