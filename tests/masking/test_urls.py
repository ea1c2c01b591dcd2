"""URLs are found where Presidio's patterns find them, in steps that grow with the text."""

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from presidio_analyzer.predefined_recognizers import UrlRecognizer

from masking import urls

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
PATTERNS = [pattern.regex for pattern in UrlRecognizer().patterns]
PIECE = st.sampled_from(
    [
        "www", "www1", "www12", "www1234", "www\u0663", ".", "-", "a", "b2", "com", "co", "uk", "community", "org",
        "COM", "\u212a", "\u017f", "\u0130", "io", "https", "://", "http://", "https://", "http\u017f://", "/",
        "/path", "/p?q=1", '"', "'", " ", "\n", "(", ">", "\u00e9", "example", "a" * 250, "a." * 60, ".com", ".c", "@",
        ":8080", "museum", ".\u212ap", "http://www.", '"http://', "'www",
    ]
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS, ids=["scheme", "plain", "quoted scheme", "quoted"])
@settings(max_examples=100, deadline=None)
@given(text=st.lists(PIECE, max_size=12).map("".join))
@example(text="www.a.com www1234.b.org 'www.c.co/d' \"http://e.uk/f\" g.community")
@example(text="a" * 253 + ".com " + "b" * 254 + ".com")
@example(text="www." + "a" * 253 + ".com")
def test_equal_to_the_pattern(pattern: str, text: str) -> None:
    """The same spans as the engine finds that goes back and forth."""
    form = urls.taken_apart(pattern)
    assert form is not None
    assert list(form.spans(text)) == [match.span() for match in regex.finditer(pattern, text, flags=FLAGS)]


def test_an_unknown_pattern_is_left_to_the_engine() -> None:
    """A newer Presidio may write it another way."""
    assert urls.taken_apart(r"https?://[a-z.]+") is None
    assert urls.taken_apart(PATTERNS[0].replace("253", "63")) is None


@pytest.mark.parametrize("unit", ["a.co.", "a.a.", "www.", "'a.co/", "http://a.", "\"'http://a.com"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=["scheme", "plain", "quoted scheme", "quoted"])
def test_steps_grow_with_the_text(pattern: str, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the text asks for an end of a name at most about twice as often."""
    form = urls.taken_apart(pattern)
    assert form is not None
    asked = 0
    plain = urls._Hosts._closed

    def counting(self: urls._Hosts, fits: list[int], *, quoted: bool) -> int:
        nonlocal asked
        asked += 1
        return plain(self, fits, quoted=quoted)

    monkeypatch.setattr(urls._Hosts, "_closed", counting)
    list(form.spans(unit * 400))
    once, asked = asked, 0
    list(form.spans(unit * 800))
    assert asked <= 2 * once + 300
