"""The spellings in which a credential may come back."""

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.credentials.echoes import SHORTEST, spellings

VALUES = st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=40)


def is_found(value: str, text: bytes) -> bool:
    return any(form in text for form in spellings([value]))


@given(VALUES, st.binary(max_size=10), st.binary(max_size=10))
def test_base64_is_found_wherever_it_stands(value: str, before: bytes, after: bytes) -> None:
    """Also as a part of a longer text: ``user:value`` is encoded as a whole; in both alphabets."""
    whole = before + value.encode() + after
    if len(value.encode()) > SHORTEST:
        assert is_found(value, base64.b64encode(whole))
        assert is_found(value, base64.urlsafe_b64encode(whole))


@given(VALUES)
def test_usual_encoders_do_not_hide_it(value: str) -> None:
    """Raw, JSON with and without escapes for other alphabets and slashes, URLs and forms, in either case."""
    assert is_found(value, value.encode())
    assert is_found(value, json.dumps({"echo": value}).encode())
    assert is_found(value, json.dumps({"echo": value}, ensure_ascii=False).encode())
    assert is_found(value, json.dumps({"echo": value}).replace("/", "\\/").encode())
    assert is_found(value, urlencode({"echo": value}).encode())
    for encoded in (quote(value), quote(value, safe=""), quote_plus(value)):
        assert is_found(value, encoded.encode())


@given(VALUES)
def test_plain_disguises_do_not_hide_it(value: str) -> None:
    """Hexadecimal in either case, reversed, every byte or character escaped."""
    raw = value.encode()
    for hidden in (raw.hex(), raw.hex().upper(), "".join(f"%{byte:02x}" for byte in raw)):
        assert is_found(value, b"x" + hidden.encode() + b"y")
    assert is_found(value, raw[::-1])
    if value.isascii():
        assert is_found(value, "".join(f"\\u{ord(each):04x}" for each in value).encode())


def test_lower_case_escapes() -> None:
    """Some encoders write ``%2f``."""
    assert is_found("secret/value+1", b"https://x/?k=secret%2fvalue%2b1")


@pytest.mark.parametrize("value", ["", "a", "1234567"])
def test_short_values_are_left_out(value: str) -> None:
    """They would hit ordinary text."""
    assert spellings([value]) == ()


@given(st.lists(VALUES, max_size=3))
def test_longest_first_without_duplicates(values: list[str]) -> None:
    """So that a longer spelling is masked before a shorter one cuts it; none is so short that it hits ordinary text."""
    found = spellings(values)
    assert list(found) == sorted(set(found), key=lambda form: (-len(form), form))
    assert all(len(form) >= SHORTEST for form in found)
    assert found == spellings(list(reversed(values)))


@pytest.mark.parametrize(
    "encoded",
    ["Ab%2fCd%2bEf(gh)", "Ab%2FCd%2BEf%28gh%29", "AB/CD+EF(GH)", "ab/cd+ef(gh)"],
)
def test_encoders_differ(encoded: str) -> None:
    """In what they leave alone, and in the case of digits; some change the whole text's."""
    assert is_found("Ab/Cd+Ef(gh)", encoded.encode())


@pytest.mark.parametrize(
    "encoded",
    [
        "\\u003ca\\u0026b\\u003e'cdefg",
        "\\u003Ca\\u0026b\\u003E\\u0027cdefg",
        "&lt;a&amp;b&gt;&#39;cdefg",
        "&lt;a&amp;b&gt;&apos;cdefg",
    ],
)
def test_markup_and_its_json(encoded: str) -> None:
    """As Go, Ruby, and writers of XML have it."""
    assert is_found("<a&b>'cdefg", encoded.encode())


def test_other_charsets() -> None:
    """A header is often Latin-1, and so is a form of an old page."""
    value = "pl\u00e4nted/k\u00fcy"
    for raw in (value.encode(), value.encode("latin-1")):
        assert is_found(value, raw)
        assert is_found(value, base64.b64encode(b"x" + raw))
        assert is_found(value, quote(raw, safe="").encode())
    for charset in ("utf-16-le", "utf-16-be", "utf-16"):
        assert is_found(value, f"before {value} after".encode(charset))
