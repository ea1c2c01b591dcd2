"""Character references, as readers of XML and of HTML resolve them."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.formats.references import in_attribute, in_text, resolved, verbatim


@pytest.mark.parametrize(
    ("raw", "strict", "lenient"),
    [
        ("a&#64;b", "a@b", "a@b"),
        ("a&#x40;b&#X40;", "a@b@", "a@b@"),
        ("a&#0000000000000064;b", "a@b", "a@b"),
        ("a&#64b", "a&#64b", "a@b"),
        ("a&commat;b &amp &ampx", "a@b &amp &ampx", "a@b & &x"),
        ("&unknown; & &;", "&unknown; & &;", "&unknown; & &;"),
    ],
)
def test_references(raw: str, strict: str, lenient: str) -> None:
    """In HTML the semicolon may be missing."""
    assert resolved(raw, lenient=False).text == strict
    assert resolved(raw, lenient=True).text == lenient == html.unescape(raw)


@given(
    st.lists(
        st.sampled_from(["&#64;", "&lt", "&lt;", "&", "&amp;", "x", "&#x41", "y", ";", "&notit;"]), max_size=10
    ).map("".join)
)
def test_html_reads_the_same(raw: str) -> None:
    """As the standard library does; every position leads back into the raw text."""
    view = resolved(raw, lenient=True)
    assert view.text == html.unescape(raw)
    origins = [view.origin(position) for position in range(len(view.text) + 1)]
    assert origins == sorted(origins)
    assert origins[-1] == len(raw)


@given(st.text(alphabet="<>&\"' \n\tab"))
def test_what_is_written_is_read_again(text: str) -> None:
    """In elements and in attributes, in either quote."""
    assert resolved(in_text(text), lenient=True).text == text
    assert resolved(in_attribute(text), lenient=True).text == text
    assert not set(in_attribute(text)) & set("<>\"'\n\t")


@pytest.mark.parametrize("text", ["--", "a]]>", "?>", "</script"])
def test_what_would_end_a_comment_is_refused(text: str) -> None:
    """Nothing can be escaped there."""
    assert verbatim("<SECRET>") == "<SECRET>"
    with pytest.raises(Unmaskable):
        verbatim(text)
