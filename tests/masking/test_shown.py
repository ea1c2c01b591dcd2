"""What matches in a text matches in what is shown of it, so that screens tell about every text."""

import re
from types import ModuleType

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import detectors
from masking.screens import PRESIDIO_ENTITIES
from masking.secret_patterns import SECRET_PATTERNS
from masking.shown import shown, tells
from tests.masking.test_screens import VALUES

EVERY = "".join(map(chr, [*range(128, 0xD800), *range(0xE000, 0x110000)]))
LOOKALIKES = {
    **{str(digit): f"{chr(0xFF10 + digit)}{chr(0x0660 + digit)}{chr(0x0966 + digit)}\U00010d40" for digit in range(10)},
    "s": "\u017f", "S": "\u017f", "k": "\u212a", "K": "\u212a", "i": "\u0130\u0131", "I": "\u0130\u0131",
    " ": "\u00a0\u3000\u2009\u0085", "-": "\u2010\u2013\uff0d", ".": "\u3002\uff0e", "a": "\u00e9\u0301\u4e2d",
}  # fmt: skip


@pytest.mark.parametrize("engine", [re, regex])
def test_every_character_keeps_its_kind(engine: ModuleType) -> None:
    """Digits, spaces and parts of words, and letters that are one of ASCII without their case; to either engine."""
    ours = shown(EVERY)
    assert len(ours) == len(EVERY)
    assert ours.isascii()
    for pattern in [r"\d", r"\w", r"\s", *(f"(?i:{re.escape(chr(code))})" for code in range(128)), "(?i:[a-z])"]:
        places = [match.start() for match in engine.finditer(pattern, EVERY)]
        assert all(engine.match(pattern, ours[place]) for place in places), pattern


@given(st.text())
def test_ascii_is_shown_as_it_is(text: str) -> None:
    """And what is shown is shown so again."""
    assert shown(text) == "".join(shown(each) for each in text)
    assert shown(shown(text)) == shown(text)
    assert [each for each in zip(text, shown(text), strict=True) if each[0].isascii() and each[0] != each[1]] == []


@pytest.mark.parametrize(
    ("screen", "expected"),
    [
        (r"(?is:[A-Z]{2}[\s\x0b]?[0-9]+)", True),
        (r"://[^\s/?#@:\"'<>]*:", True),
        (r"[\w .-]{0,24}[\\]*", True),
        (r"[^a-z]x", False),
        (r"[^_]x", False),
        (r"[^ ]x", False),
        (r"a\W", False),
        (r"[\x80-\xff]", False),
        (r"\u00e9", False),
        ("\u00e9", False),
        (r"\p{L}", False),
    ],
)
def test_what_a_screen_may_ask(screen: str, expected: bool) -> None:
    """Characters of ASCII and kinds of characters; to leave out only signs and spaces."""
    assert tells(screen) is expected


def test_the_screens_of_patterns_tell() -> None:
    """Those of secrets too: a text beyond ASCII is spared as many detectors as another."""
    assert all(tells(secret.screen) for secret in SECRET_PATTERNS)
    for entity in PRESIDIO_ENTITIES - {"PHONE_NUMBER"}:
        assert all(each.screens_all or each.screen is None for each in detectors.builtin(entity)), entity


@pytest.mark.parametrize("entity", sorted(set(VALUES) - {"PHONE_NUMBER"}))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_screen_tells_about_values_beyond_ascii(entity: str, data: st.DataObject) -> None:
    """Values with some characters of another script, or that look alike, and with others beside them."""
    value = data.draw(st.sampled_from(VALUES[entity]))
    others = data.draw(st.lists(st.booleans(), min_size=len(value), max_size=len(value)))
    made = "".join(
        data.draw(st.sampled_from(LOOKALIKES[each])) if other and each in LOOKALIKES else each
        for each, other in zip(value, others, strict=True)
    )
    around = st.text(st.sampled_from("\u00e9\u4e2d\u2013\uff10\u00a0 -a1."), max_size=2)
    text = data.draw(around) + made + data.draw(around)
    (detector,) = detectors.builtin(entity)
    if detector.find(text, lifted=True, threshold=0.0):
        assert detector.screen is not None
        assert re.search(detector.screen, shown(text))
