"""Texts in base64 are found, whole, and what replaces them is base64 of the same kind."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking import packed

READABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=24, max_size=60)


@given(READABLE, st.booleans(), st.booleans())
def test_a_packed_text_is_found_and_packed_alike(text: str, url: bool, padded: bool) -> None:
    """Both alphabets, with and without padding."""
    run = (base64.urlsafe_b64encode if url else base64.b64encode)(text.encode()).decode()
    run = run if padded else run.rstrip("=")
    if run in {run.lower(), run.upper()}:
        return
    assert list(packed.texts(f"x: {run}")) == [(3, 3 + len(run), text)]
    assert packed.pack(text, like=run) == run or not set(run) & set("+/-_")


@pytest.mark.parametrize(
    "text", ["aGVsbG8=", "A" * 40, "web-6b6846b9d6-hp8h2-and-more", "gICAgICAgICAgICAgA==", "AAECAwQFBgcICQoLDA0ODw=="]
)
def test_other_runs_are_not(text: str) -> None:
    """Too short, names, bytes that are no text, control characters."""
    assert not list(packed.texts(text))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmail to x",
        "a\u00a0b\u200bc\u2028d mail",
        "plain text \x1b[0m\x0c\0",
        "\x1b[0mmail to x",
        "\x0cmail to x now",
        "\x1b\x1b\x1b\x1b\x1b\x1bmail to x",
        "é ü ø mail to x",
    ],
)
def test_whatever_stands_in_a_text_it_is_a_text(text: str) -> None:
    """Marks of byte order, spaces of all kinds and control characters hide nothing that stands beside them."""
    run = base64.b64encode(text.encode()).decode()
    assert list(packed.texts(run)) == [(0, len(run), text)]
    assert packed.pack(text, like=run) == run


@pytest.mark.parametrize("before", ["536-90-4399", "-----END KEY-----", "x"])
@pytest.mark.parametrize("after", ["536-90-4399", ""])
def test_a_run_is_found_as_it_stands_without_what_touches_it(before: str, after: str) -> None:
    """What is hidden beside it stands there no more."""
    text = "a plain text to be found?"
    run = base64.b64encode(text.encode()).decode()
    whole = before + run + after
    hidden = [(0, len(before)), (len(before) + len(run), len(whole))]
    assert (len(before), len(before) + len(run), text) in [*packed.texts_between(whole, hidden)]


def test_a_run_is_found_once() -> None:
    """Whether or not something else is hidden."""
    run = base64.b64encode(b"a plain text to be found").decode()
    assert len([*packed.texts_between(f"{run} secret {run}", [(33, 39)])]) == 2


def test_a_text_in_latin_1_is_a_text() -> None:
    """It stays in its charset."""
    text = "mail to max@example.com, Café"
    run = base64.b64encode(text.encode("latin-1")).decode()
    assert list(packed.texts(run)) == [(0, len(run), text)]
    assert packed.pack(text, like=run) == run


@given(
    READABLE,
    st.sampled_from([16, 20, 60]),
    st.sampled_from(["\n", "\r\n", "\n  "]),
    st.sampled_from(["", "x:\n", "a "]),
)
def test_a_run_in_lines_is_one_run(text: str, width: int, cut: str, before: str) -> None:
    """As MIME writes it; so nothing hides at the end of a line."""
    run = base64.b64encode(text.encode()).decode()
    lines = cut.join(run[at : at + width] for at in range(0, len(run), width))
    if run in {run.lower(), run.upper()} or len(run) <= width:
        return
    assert (len(before), len(before) + len(lines), text) in set(packed.texts(before + lines))
    assert packed.pack(text, like=lines) == lines


@given(st.text("aB3/_-=. \n", max_size=80), st.lists(st.integers(0, 80), max_size=4).map(sorted))
def test_runs_between_spans_are_those_of_the_pieces_and_of_the_whole(text: str, places: list[int]) -> None:
    """No more and no less; those of the whole first, each once."""
    hidden = [(start, end) for start, end in zip(places[::2], places[1::2], strict=False) if end <= len(text)]
    want = [*packed.texts(text)]
    borders = [0, *(place for span in hidden for place in span), len(text)]
    for start, end in zip(borders[::2], borders[1::2], strict=True):
        want += [(start + a, start + b, inner) for a, b, inner in packed.texts(text[start:end])] if hidden else []
    assert [*dict.fromkeys((a, b) for a, b, _ in want)] == [(a, b) for a, b, _ in packed.texts_between(text, hidden)]
