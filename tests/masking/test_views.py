r"""A decoded view reads as the reader of the answer will read it, and knows where each character came from."""

import html
import json
from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking import views

PRINTABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(PRINTABLE, st.booleans())
def test_json_string_decodes_as_a_parser_does(text: str, ascii_only: bool) -> None:
    """The view of a token's inside equals what a JSON parser gives."""
    raw = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    assert views.json_string(raw).text == text


@given(PRINTABLE)
def test_origins_cut_a_json_string_at_character_borders(text: str) -> None:
    """The raw piece behind each decoded character decodes to that character."""
    raw = json.dumps(text)[1:-1]
    view = views.json_string(raw)
    for position, character in enumerate(view.text):
        piece = raw[view.origin(position) : view.origin(position + 1)]
        assert json.loads(f'"{piece}"') == character


def test_lone_surrogates_are_kept() -> None:
    """A lone surrogate is no reason to stop reading."""
    assert views.json_string(r"\ud800a").text == "\ud800a"


@given(PRINTABLE)
def test_percent_decodes_as_a_url_reader_does(text: str) -> None:
    """The views of an escaped text give the text back."""
    from urllib.parse import quote, quote_plus

    assert views.percent(quote(text, safe="")).text == unquote(quote(text, safe=""))
    assert views.form(quote_plus(text)).text == unquote_plus(quote_plus(text))


def test_percent_origins_cover_whole_sequences() -> None:
    """A character of several octets comes from all of them."""
    view = views.percent("a%C3%A9b")
    assert view.text == "aéb"
    assert (view.origin(1), view.origin(2)) == (1, 7)


def test_octets_that_are_no_utf8_are_still_read() -> None:
    """An invalid octet hides nothing that stands beside it."""
    assert "@" in views.percent("%FFbob%40x").text


@pytest.mark.parametrize("raw", ["&#64;", "&#x40;", "&commat;", "a &amp; b", "&nosuch;", "no references"])
def test_markup_resolves_references(raw: str) -> None:
    """References read as a browser reads them."""
    assert views.markup(raw).text == html.unescape(raw)


def test_readings_hold_the_text_itself_and_each_different_one() -> None:
    """A text is judged as it stands and as it may be decoded."""
    assert [view.text for view in views.readings("plain & simple 100%")] == ["plain & simple 100%"]
    assert [view.text for view in views.readings("a%40b")] == ["a%40b", "a@b"]
    assert [view.text for view in views.readings("a&#64;b")] == ["a&#64;b", "a@b"]


@pytest.mark.parametrize(
    "raw",
    ["a%2540b", "a&amp;#64;b", "a%26%2364;b", "a&#37;40b", r"a\x40b", r"a\u0040b", r"a\\u0040b", r"a\u{40}b", r"a\u{000040}b", r"a\U00000040b",
     r"a\u002540b", r"a%5Cx40b", "a&bsol;x40b"],
)  # fmt: skip
def test_what_is_encoded_twice_or_escaped_is_read(raw: str) -> None:
    """In any two ways; the origin of each character is all that stands for it."""
    view = next(view for view in views.readings(raw) if view.text == "a@b")
    assert [view.origin(position) for position in range(4)] == [0, 1, len(raw) - 1, len(raw)]
    assert not views.is_plain(raw)


@given(st.text(st.sampled_from("%2540&amp;#x\\ubB{}D8\u00e9"), max_size=40))
def test_readings_are_few_and_cut_at_places_of_the_text(raw: str) -> None:
    """Whatever is encoded how often; origins ascend from the begin of the text to its end."""
    every = [*views.readings(raw)]
    assert len(every) <= 26
    for view in every:
        origins = [view.origin(position) for position in range(len(view.text) + 1)]
        assert origins == sorted(origins)
        assert origins[-1] == len(raw)


@given(PRINTABLE)
def test_escapes_in_any_text_are_undone(text: str) -> None:
    """Like a parser of JSON does, but for short escapes; lone surrogates stay as they are written."""
    raw = "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"))
    assert views.escaped(raw).text == text
    assert views.escaped(r"\ud800a\U00110000").text == r"\ud800a\U00110000"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\uff14\uff11\uff11\uff11", "4111"),
        ("4\u200b1\u20601\ufeff1", "4111"),
        ("\u0664\u0967", "41"),
        ("078\u201305\u22121123", "078-05-1123"),
        ("bob\uff20example\uff0ecom", "bob@example.com"),
        ("a\u00a0b\u3000c", "a b c"),
        ("bob@example\u3002co\uff61uk", "bob@example.co.uk"),
        ("4\U000e00201\u115f1\u3164\u034f1", "4111"),
        ("4\u180b1\u180c1\u180d1\ufe0f\U000e0100", "4111"),
        ("4\u03011\u20e31\u03361", "4111"),
        ("\u00e9\u00df\ufb01\u4e00", "\u00e9\u00df\ufb01\u4e00"),
    ],
)
def test_folded_reads_as_it_looks(raw: str, shown: str) -> None:
    """Digits and signs in their ASCII form, nothing that takes no room; letters stay what they are."""
    assert views.folded(raw).text == shown


@given(st.text(st.sampled_from("4\uff14\u0664\u200b\u00ad-\u2013\u00e9 x"), max_size=20))
def test_origins_of_a_folded_text_are_its_characters(raw: str) -> None:
    """Between two positions lies one character, with what takes no room after it."""
    view = views.folded(raw)
    for position, character in enumerate(view.text):
        piece = raw[view.origin(position) : view.origin(position + 1)]
        assert views.folded(piece).text == character


def test_what_is_decoded_is_folded_too() -> None:
    """A full-width digit may be percent-encoded; its origin is the encoded text."""
    view = [*views.readings("x%EF%BC%94%31")][-1]
    assert view.text == "x41"
    assert [view.origin(position) for position in range(4)] == [0, 1, 10, 13]
