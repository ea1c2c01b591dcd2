"""What a mask profile's patterns, paths and names have to be; each failure says what to do about it."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache

import regex

_PATH = re.compile(r"\$(?:\.\.?[\w$-]+|\.\.?\*|\[\*\]|\[\d+\]|\[\"[^\"]*\"\]|\['[^']*'\])+")
_OPEN = re.compile(r"\.\.|\.\*")
LONGEST_PATTERN = 16_384
_PROBE_LENGTH, _PROBE_SECONDS = 1_024, 1.0
"""Time that grows with the square of a text's length passes by far; with a higher power it does not."""
_PROBED = 24
"""Characters of a pattern that are tried at most."""


@lru_cache(maxsize=1024)
def checked_pattern(pattern: str) -> str:
    """A regular expression that can be read, and that does not take for ever; raises ``ValueError``."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"longer than {LONGEST_PATTERN} characters; use denyList for many words")
    try:
        compiled = regex.compile(pattern)
    except (regex.error, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    try:
        for text in _probes(pattern):
            compiled.search(text, timeout=_PROBE_SECONDS)
    except TimeoutError:
        raise ValueError(
            "takes too long on a text of 1,024 like characters; do not repeat what is repeated, as in (a+)+,"
            " and give repetitions a bound, as in a{1,64}"
        ) from None
    return pattern


def _probes(pattern: str) -> Iterator[str]:
    """Texts on which a pattern that is slow on any text of its own characters is slow: long runs that end badly."""
    own = [character for character in dict.fromkeys(pattern) if character.isalnum()][:_PROBED]
    runs = dict.fromkeys(("a", "A", "0", " ", "-", ".", "_", "@", *own, "a.", "a ", "0-", "a@", "a0"))
    for end in ("\0", "\0" + "".join(own)):  # a match may be ruled out at once for a character that is not there
        yield from (run * (_PROBE_LENGTH // len(run)) + end for run in runs)


def checked_path(path: str) -> str:
    """A JSON path; raises ``ValueError``."""
    if not _PATH.fullmatch(path):
        raise ValueError("not a path: use $, .name, ..name, .*, [n], [*] and ['name'], for example $.items[*].name")
    return path


def checked_place(path: str) -> str:
    """A JSON path that names its members; raises ``ValueError``."""
    if _OPEN.search(re.sub(r"\[(?:\"[^\"]*\"|'[^']*')\]", "[0]", checked_path(path))):
        raise ValueError("a value is put back only at a place that is named: .. and .* stand for any place")
    return path


def meant(word: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a message; empty where nothing is close."""
    close = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
