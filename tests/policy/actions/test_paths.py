"""Canonical or refused."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.paths import MAX_LENGTH, canonical, folded, read_segment
from policy.codes import Code
from policy.errors import Refusal
from policy.model import PathOptions

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/actions/paths.yaml").read_text("utf-8"))
OPTIONS = st.builds(
    PathOptions,
    encoded_slash=st.sampled_from(["refuse", "segment"]),
    semicolon=st.sampled_from(["refuse", "allow"]),
    double_encoding=st.sampled_from(["refuse", "allow"]),
)
PIECES = ["/", "a", "B", "7", "%", "%2F", "%2f", "%5C", "%25", "%2", "5", "%61", "%2e", ".", "..", ";", "\\", "#", "?"]
PATHS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*PIECES, "%C3%A9", "%FF", "%00", "%0a", "%7e", "~", ":", "%3A", " ", "é", "\0"])).map(
        lambda pieces: "/" + "".join(pieces)
    ),
    st.text(alphabet="/.%25eEfF;aA", max_size=12).map(lambda text: "/" + text),
)


def _rows() -> list[Any]:
    return [pytest.param(case, id=f"{kind}: {case['raw']!r}") for kind, cases in CASES.items() for case in cases]


@pytest.mark.parametrize("case", _rows())
def test_case(case: dict[str, Any]) -> None:
    """Every case has the form or the refusal that the table states."""
    options = PathOptions(**case.get("options", {}))
    if "refused" in case:
        with pytest.raises(Refusal, match=case["refused"]) as refusal:
            canonical(case["raw"], options)
        assert refusal.value.code is Code.MALFORMED
        return
    path = canonical(case["raw"], options)
    segments = case.get("segments", case["wire"][1:].split("/"))
    assert (path.wire, path.segments) == (case["wire"], tuple(segments))
    assert path.trailing_slash == (len(path.wire) > 1 and path.wire.endswith("/"))


def test_table_is_large() -> None:
    """The table keeps every known form."""
    assert sum(map(len, CASES.values())) >= 120


@given(PATHS, OPTIONS)
def test_canonical_form_is_a_fixed_point(raw: str, options: PathOptions) -> None:
    """canonical(canonical(p)) == canonical(p), and nothing but a refusal is ever raised."""
    try:
        path = canonical(raw, options)
    except Refusal:
        return
    assert canonical(path.wire, options) == path


@given(PATHS)
def test_strict_form_reads_one_way(raw: str) -> None:
    """By default no decoding, and no second decoding, of an accepted path shows a separator or a dot segment."""
    try:
        path = canonical(raw)
    except Refusal:
        return
    once = unquote_to_bytes(path.wire)
    for reading in (path.wire.encode(), once, unquote_to_bytes(once)):
        assert reading.count(b"/") == path.wire.count("/")
        assert not {b".", b".."} & set(reading.split(b"/"))
        assert not set(b"\\#;\x00\n\r") & set(reading)
        assert b"//" not in reading
    assert unquote_to_bytes(raw) == once, "the canonical form names the same path"


@given(PATHS)
def test_segments_spell_the_path(raw: str) -> None:
    """The segments joined by slashes are one to one with the path that is sent."""
    try:
        path = canonical(raw, PathOptions(encoded_slash="segment"))
    except Refusal:
        return
    assert all("/" not in segment and segment for segment in path.segments)
    assert path.text == "/" + "/".join(path.segments)
    assert len(path.segments) == len([part for part in path.wire.split("/") if part])


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="%/\\;#")))
def test_segment_without_escapes_reads_as_itself(segment: str) -> None:
    """Only escapes are changed by reading."""
    assert read_segment(segment) == segment


def test_segment_keeps_escapes_of_its_own_syntax() -> None:
    """``%2F`` and ``%25`` stay: the reading could not be told apart from another path without them."""
    assert read_segment("a%2Fb%25%3A") == "a%2Fb%25:"


def test_length_is_bounded() -> None:
    """Up to what servers take."""
    assert canonical("/" + "a" * (MAX_LENGTH - 1)).segments
    with pytest.raises(Refusal, match="too long"):
        canonical("/" + "a" * MAX_LENGTH)


def test_folding_follows_the_options() -> None:
    """Case and suffix are ignored only where the target says so, and a suffix alone is a name."""
    segments = ("Users", "A.JSON")
    assert folded(segments, PathOptions()) == segments
    assert folded(segments, PathOptions(suffixes=(".json",))) == segments
    assert folded(segments, PathOptions(case_insensitive=True)) == ("users", "a.json")
    assert folded(segments, PathOptions(case_insensitive=True, suffixes=(".json",))) == ("users", "a")
    assert folded((".json",), PathOptions(suffixes=(".json",))) == (".json",)
    assert folded((), PathOptions(suffixes=(".json",))) == ()


def test_refusal_quotes_nothing() -> None:
    """A refusal says what is wrong and repeats nothing of the path."""
    with pytest.raises(Refusal) as refusal:
        canonical("/secret-value/../x")
    assert "secret-value" not in f"{refusal.value} {refusal.value.detail} {refusal.value.reason}"
