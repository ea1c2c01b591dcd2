"""Law: a search tells what is in a request, changes nothing else in it, and finds nothing in what it left."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addons.request_search import Parts, Unsearchable, search
from masking.engine import MaskingEngine
from masking.profiles import resolve

PROFILES = ("pii", "secrets")
EMAIL = "ada.lovelace@example.com"


@cache
def engine() -> MaskingEngine:
    made = MaskingEngine(resolve({}), key=b"k" * 32)
    made.load()
    return made


values = st.sampled_from(
    [EMAIL, EMAIL.replace("@", "%40"), "ghp_" + "a1B2" * 9, "536-22-1234", "", "a b", "%", "&", "="]
)
texts = st.lists(values | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8), max_size=3).map(
    "".join
)
names = st.sampled_from(["X-Note", "Accept", "Authorization", "Content-Type", "x-token", "Host"])
headers = st.lists(st.tuples(names, texts).map(lambda each: (each[0].encode(), each[1].encode())), max_size=4)


@settings(deadline=None)
@given(path=texts, query=texts, headers=headers, body=texts)
def test_what_is_left_holds_nothing(path: str, query: str, headers: list[tuple[bytes, bytes]], body: str) -> None:
    """But in places where nothing can be masked; where nothing is found, nothing is changed."""
    parts = Parts(path=f"/{path.replace('?', '')}?{query}", headers=tuple(headers), body=body.encode())
    try:
        searched = search(parts, engine(), PROFILES)
    except Unsearchable:
        return
    assert EMAIL not in str(searched)
    if not searched.found:
        assert searched.masked == parts
        assert searched.masked.body is parts.body
    again = search(searched.masked, engine(), PROFILES)
    assert set(again.found) <= searched.fixed


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "Proxy-Authorization", "X-Forwarded-For", "Connection"])
def test_what_never_goes_on_is_not_searched(name: str) -> None:
    """It is taken out before the request leaves."""
    parts = Parts(path="/", headers=((name.encode(), EMAIL.encode()),), body=b"")
    assert not search(parts, engine(), PROFILES).found


def test_bytes_that_are_no_text() -> None:
    """A header in an older charset is searched in it, and stays in it."""
    parts = Parts(path="/", headers=((b"X-Note", b"f\xfcr " + EMAIL.encode()),), body=b"")
    searched = search(parts, engine(), PROFILES)
    assert searched.masked.headers == ((b"X-Note", b"f\xfcr <EMAIL_ADDRESS>"),)


def test_a_repr_shows_no_data() -> None:
    """Neither of headers nor of bodies."""
    parts = Parts(path="/", headers=((b"X-Note", EMAIL.encode()),), body=EMAIL.encode())
    assert EMAIL not in repr(parts)
