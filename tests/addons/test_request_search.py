"""Law: a search tells what is in a request, changes nothing else in it, and finds nothing in what it left."""

import base64
import gzip
from functools import cache

import pytest
import zstandard
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


TOKEN = "ghp_" + "a1B2" * 9
GZIP_COMMENT = b"\x1f\x8b\x08\x10" + bytes(5) + b"\x03" + TOKEN.encode() + b"\0" + gzip.compress(b'{"a": 1}')[10:]
ZSTD_SKIPPED = (
    b"\x50\x2a\x4d\x18" + (len(TOKEN)).to_bytes(4, "little") + TOKEN.encode() + zstandard.compress(b'{"a": 1}')
)


@pytest.mark.parametrize(("coding", "body"), [("gzip", GZIP_COMMENT), ("zstd", ZSTD_SKIPPED)])
def test_a_coding_carries_nothing_beside_its_content(coding: str, body: bytes) -> None:
    """What goes on is what was decoded and searched."""
    fields = ((b"Content-Type", b"application/json"), (b"Content-Encoding", coding.encode()))
    searched = search(Parts(path="/", headers=fields, body=body), engine(), PROFILES)
    assert not searched.found
    assert searched.masked.body == b'{"a": 1}'
    assert searched.masked.headers == fields[:1]


@pytest.mark.parametrize(
    ("path", "fields", "place"),
    [
        (f"/block/x/{base64.b64encode(2 * EMAIL.encode()).decode().rstrip('=')}", (), "path"),
        ("/", ((f"X-{TOKEN}".encode(), b"1"),), "a header's name"),
        ("/", ((b"Content-Type", f"multipart/form-data; boundary={TOKEN}".encode()),), "header content-type"),
        ("/", ((b"Content-Encoding", TOKEN.encode()),), "header content-encoding"),
    ],
)
def test_what_cannot_be_masked(path: str, fields: tuple[tuple[bytes, bytes], ...], place: str) -> None:
    """A segment in base64, a name in its own spelling, a boundary that stands in the body as well."""
    searched = search(Parts(path=path, headers=fields, body=b""), engine(), PROFILES)
    assert place in searched.fixed


def test_bytes_that_are_no_text() -> None:
    """A header in an older charset is searched in it, and stays in it."""
    parts = Parts(path="/", headers=((b"X-Note", b"f\xfcr " + EMAIL.encode()),), body=b"")
    searched = search(parts, engine(), PROFILES)
    assert searched.masked.headers == ((b"X-Note", b"f\xfcr <EMAIL_ADDRESS>"),)


def test_a_repr_shows_no_data() -> None:
    """Neither of headers nor of bodies."""
    parts = Parts(path="/", headers=((b"X-Note", EMAIL.encode()),), body=EMAIL.encode())
    assert EMAIL not in repr(parts)
