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
