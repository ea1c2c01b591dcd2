"""Every backend finds every place, in every thread."""

import gc
import re
import resource
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.databases import UnscannableError
from masking.screening.backends import Backend, Gated, Scanners, backend, gates, scanner

BACKENDS: tuple[Backend, ...] = ("hyperscan", "re2", "re")
PATTERNS = (r"ab+c", r"[0-9]{3}", r"x[^y]*y", r"\bq\b", r"[\x80-\xff]")


def test_the_fastest_that_is_installed_is_used() -> None:
    """Here all are."""
    assert backend() == "hyperscan"


@pytest.mark.parametrize("using", BACKENDS)
@given(text=st.text("abcxyq0123 é", max_size=30))
def test_every_match_has_a_mark_at_one_of_its_ends(using: Backend, text: str) -> None:
    """So that nothing in which something matches goes without."""
    data = text.encode()
    found = scanner(PATTERNS, using)
    marks = found.marks(data, 10_000)
    assert marks is not None
    for pattern in PATTERNS:
        for match in re.finditer(pattern.encode("latin-1"), data):
            assert any(match.start() <= mark < match.end() for mark in marks)
    assert found.is_quiet(data) == (not marks)


@pytest.mark.parametrize("using", BACKENDS)
def test_too_many_marks_are_none(using: Backend) -> None:
    """Nothing is gained by following all of them."""
    assert scanner(("a",), using).marks(b"a" * 100, 50) is None
    assert Scanners([scanner(("a",), using), scanner(("b",), using)]).marks(b"ab" * 40, 70) is None


@pytest.mark.parametrize("using", BACKENDS)
def test_a_gate_that_does_not_match_is_enough(using: Backend) -> None:
    """What is behind it is asked where it matches."""
    gated = Gated(gates(("[0-9]{3}", "[a-c]{3}"), using), [scanner(("123x",), using), scanner(("abcx",), using)])
    texts = (b"12x", b"1234", b"_123x", b"abc", b"123 abcx")
    assert [gated.is_quiet(text) for text in texts] == [True, True, False, True, False]
    assert (gated.marks(b"12x", 9), bool(gated.marks(b"_123x", 9)), gated.marks(b"123x" * 9, 8)) == ([], True, None)


@pytest.mark.parametrize("using", BACKENDS)
@given(text=st.text("abcxyq0123 é", max_size=30))
def test_gates_tell_which_of_them_match(using: Backend, text: str) -> None:
    """Each for itself, wherever it matches."""
    data = text.encode()
    expected = {number for number, each in enumerate(PATTERNS) if re.search(each.encode("latin-1"), data)}
    assert set(gates(PATTERNS, using)(data)) == expected


@pytest.mark.parametrize("using", BACKENDS)
def test_what_cannot_be_compiled_is_said(using: Backend) -> None:
    """The full path is taken then."""
    with pytest.raises(UnscannableError):
        scanner(("(",), using)
    with pytest.raises(UnscannableError):
        gates(("a", "("), using)


def test_equal_expressions_share_a_scanner() -> None:
    """Owners of pseudonyms have workers of their own, but not databases."""
    assert scanner(("ab", "cd")) is scanner(("ab", "cd"))


def test_threads_have_scratches_of_their_own_and_leave_none_behind() -> None:
    """One scratch for two scans at once would be an error; threads that are gone keep no memory."""
    found = scanner(("needle", "[0-9]{5}"))
    data = b"hay " * 5000 + b"needle"
    with ThreadPoolExecutor(4) as pool:
        assert set(map(tuple, pool.map(lambda _: found.marks(data, 10) or (), range(200)))) == {(len(data) - 1,)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):
        thread = threading.Thread(target=found.is_quiet, args=(data,))
        thread.start()
        thread.join()
    gc.collect()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16_384
