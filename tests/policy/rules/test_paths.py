"""Path patterns, and the trie against a linear scan."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.paths import canonical, folded
from policy.errors import Refusal
from policy.model import PathOptions
from policy.rules.paths import AnySegment, PathPattern, PathTrie, parse_pattern

LOOSE = PathOptions(case_insensitive=True, suffixes=(".json",))
SLASH = PathOptions(trailing_slash="significant")

words = st.sampled_from(("a", "b", "A", "a.json"))
parts = st.one_of(words, st.just("*"), st.sampled_from(("{x}", "{y}")))


@st.composite
def patterns(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(parts, max_size=4))
    chosen = [part for at, part in enumerate(chosen) if not part.startswith("{") or part not in chosen[:at]]
    rest = draw(st.sampled_from(("", "", "/**", "/")))
    text = "/" + "/".join(chosen)
    return text.removesuffix("/") + rest if chosen or rest == "/**" else "/"


paths = st.builds(
    lambda segments, slash: "/" + "/".join(segments) + ("/" if slash and segments else ""),
    st.lists(words, max_size=5),
    st.booleans(),
)
options = st.sampled_from((PathOptions(), LOOSE, SLASH))


def by_regex(pattern: str, path: str, chosen: PathOptions) -> bool:
    """One pattern at a time, by a regular expression."""
    text = pattern if pattern == "/" else pattern.removesuffix("/")
    if chosen.suffixes and "**" not in pattern:
        text = re.sub(r"(?<=[^/])\.json$", "", text, flags=re.IGNORECASE)
    slash = chosen.trailing_slash == "significant"
    expression = "".join(
        "(?:/[^/]+)*" if part == "**" else "/[^/]+" if part[:1] in {"*", "{"} else "/" + re.escape(part)
        for part in text[1:].split("/")
        if part
    )
    ending = "/?" if not slash or "**" in pattern else "/" if pattern.endswith("/") and pattern != "/" else ""
    flags = re.IGNORECASE if chosen.case_insensitive else 0
    return re.fullmatch((expression or "") + (ending if path != "/" else "/?"), path, flags) is not None


@given(st.lists(st.lists(patterns(), max_size=3), max_size=8), paths, options)
def test_trie_equals_a_linear_scan(entries: list[list[str]], path: str, chosen: PathOptions) -> None:
    """Bit i is set exactly if one of the patterns of entry i matches, or it has none; and those bind parameters."""
    read = canonical(path)
    segments = folded(read.segments, chosen)
    shown = "/" + "/".join(segments) + ("/" if read.trailing_slash else "")
    rules = [tuple(parse_pattern(text) for text in entry) for entry in entries]
    trie = PathTrie(((rule, 1 << at) for at, rule in enumerate(rules)), chosen)
    found = trie.mask(segments, trailing_slash=read.trailing_slash)
    for at, (entry, rule) in enumerate(zip(entries, rules, strict=True)):
        want = [by_regex(text, shown, chosen) or _long_form(text, path, read.trailing_slash, chosen) for text in entry]
        assert bool(found >> at & 1) == (not entry or any(want)), (entry, shown)
        bound = [pattern.params(segments, chosen, trailing_slash=read.trailing_slash) is not None for pattern in rule]
        assert bound == want


def _long_form(text: str, path: str, slash: bool, chosen: PathOptions) -> bool:
    """Before ``**`` a file suffix may stand at the very end of the path, where the target cuts it off."""
    if not chosen.suffixes or not text.endswith(".json/**"):
        return False
    segments = folded(canonical(path).segments, chosen)
    return by_regex(text.removesuffix("/**"), "/" + "/".join(segments), chosen)


@pytest.mark.parametrize(
    ("text", "parts", "rest"),
    [
        ("/", (), False),
        ("/**", (), True),
        ("/a/*/b", ("a", AnySegment(), "b"), False),
        ("/repos/{owner}/{repo}/**", ("repos", AnySegment("owner"), AnySegment("repo")), True),
        ("/a%2fb/c%41", ("a%2Fb", "cA"), False),
        ("/%40me/a!b", ("@me", "a!b"), False),
        ("/café/my files", ("café", "my files"), False),
        ("/caf%c3%a9", ("café",), False),
    ],
)
def test_patterns(text: str, parts: tuple[Any, ...], rest: bool) -> None:
    """Literals are read in the form in which the segments of a path are matched."""
    assert parse_pattern(text) == PathPattern(text=text, parts=parts, rest=rest)


@pytest.mark.parametrize(
    "text",
    ["", "a", "/a*", "/*a/b", "/a/**/b", "/**/a", "/a//b", "//", "/a/../b", "/.", "/{a}/{a}", "/{a", "/x{a}", "/{}",
     "/{1}", "/a?q=1", "/a#b", "/a\\b", "/%zz", "/a\n", "/a***"],
)  # fmt: skip
def test_refused(text: str) -> None:
    """A pattern that is no pattern, or that no canonical path can match, is an error that quotes it."""
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_pattern(text)


@given(st.text(max_size=20).map(lambda text: "/" + text))
def test_reading_never_crashes(text: str) -> None:
    """Any text is a pattern or a ValueError."""
    with contextlib.suppress(ValueError):
        parse_pattern(text)


@given(st.lists(st.text(alphabet="abAB%2f@!~ é.", min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_literal_matches_its_own_path(segments: list[str]) -> None:
    """A pattern without wildcards matches the path that is spelled like it."""
    text = "/" + "/".join(segments)
    try:
        pattern = parse_pattern(text)
        path = canonical(text.replace(" ", "%20").replace("é", "%C3%A9"), PathOptions(encoded_slash="segment"))
    except (ValueError, Refusal):
        return
    assert PathTrie([((pattern,), 1)]).mask(path.segments) == 1


def test_all_that_match_count() -> None:
    """There is no precedence between a literal, a wildcard and the rest."""
    trie = PathTrie(
        ((parse_pattern(text),), 1 << at) for at, text in enumerate(("/a/b", "/a/*", "/{x}/b", "/a/**", "/**", "/a"))
    )
    assert trie.mask(("a", "b")) == 0b011111
    assert trie.mask(("a",)) == 0b111000
    assert trie.mask(("a", "b", "c")) == 0b011000
    assert trie.mask(()) == 0b010000


def test_parameters() -> None:
    """Each matching pattern binds its own parameters."""
    pattern = parse_pattern("/{kind}/{id}/**")
    assert pattern.names == ("kind", "id")
    assert pattern.params(("users", "7"), PathOptions()) == {"kind": "users", "id": "7"}
    assert pattern.params(("users", "7", "keys"), PathOptions()) == {"kind": "users", "id": "7"}
    assert pattern.params(("users",), PathOptions()) is None
