"""Law: a listed value never comes out, however the stream is cut; everything else comes out unchanged."""

from hypothesis import given
from hypothesis import strategies as st

from masking.literals import Literals, LiteralStream

SECRET = b"s3cr3t-s3cr3t-value"


def test_every_form_is_replaced() -> None:
    """All listed forms go, the longest first."""
    literals = Literals([SECRET, SECRET + b"-longer"])
    assert literals.replace(b"a " + SECRET + b"-longer b " + SECRET) == b"a *** b ***"


def test_short_values_are_not_searched_for() -> None:
    """A value under eight bytes would hit ordinary text."""
    assert not Literals([b"abc"])


def test_untouched_data_is_the_same_object() -> None:
    """Nothing is copied where nothing is found."""
    data = b"nothing here"
    assert Literals([SECRET]).replace(data) is data


def test_repr_shows_no_value() -> None:
    """A value never reaches a log."""
    assert "s3cr3t" not in repr(Literals([SECRET]))


@given(st.lists(st.sampled_from([b"x", b"s3", SECRET, SECRET[:5], b"\n"]), max_size=12), st.integers(1, 7))
def test_any_cut_equals_the_whole(parts: list[bytes], size: int) -> None:
    """Where the chunks are cut makes no difference, and no value survives."""
    data = b"".join(parts)
    literals = Literals([SECRET])
    stream = LiteralStream(literals)
    out = b"".join(stream.feed(data[i : i + size]) for i in range(0, len(data), size)) + stream.end()
    assert out == literals.replace(data)
    assert SECRET not in out


def test_plain_text_is_not_delayed() -> None:
    """A line that cannot begin a value leaves at once."""
    assert LiteralStream(Literals([SECRET])).feed(b"line\n") == b"line\n"


def test_values_may_have_something_of_their_own_in_their_place() -> None:
    """And be shorter than credentials, where the caller says so."""
    literals = Literals({b"jane@x": b"<E:1>", b"jane@x.example": b"<E:2>"}, shortest=6)
    assert literals.replace(b"jane@x, jane@x.example") == b"<E:1>, <E:2>"


MANY = {b"value-%05d" % number: b"<%d>" % number for number in range(0, 3000, 3)}


@given(
    st.lists(st.sampled_from([*list(MANY)[:5], b"value-00001", b"value-", b"v", b" "]), max_size=12), st.integers(1, 9)
)
def test_very_many_values_are_found_like_few(parts: list[bytes], size: int) -> None:
    """In one pass, wherever a stream is cut; what begins like one of them is given on once it is none."""
    data = b"".join(parts)
    want = data
    for value, replacement in MANY.items():
        want = want.replace(value, replacement)
    literals = Literals(MANY)
    assert literals.replace(data) == want
    stream = LiteralStream(literals)
    pieces = [stream.feed(data[start : start + size]) for start in range(0, len(data), size)]
    assert b"".join(pieces) + stream.end() == want


@given(st.integers(0, 300), st.sampled_from([b"", b"long-val", b"long-va", b"x"]), st.booleans())
def test_long_values_are_held_back_as_short_ones(size: int, before: bytes, any_case: bool) -> None:
    """Tokens of some KB: the places where one may begin are found by how it begins."""
    value = b"long-value-" + bytes(range(256)) + b"end"
    data = b"text " + before + value[: min(size, len(value) - 1)]
    want = max((n for n in range(1, len(value)) if data.endswith(value[:n])), default=0)
    assert Literals([value, b"another-one"], any_case=any_case).held_back(data) == want


@given(st.binary(max_size=40))
def test_what_is_held_back_is_the_longest_beginning_of_a_value(data: bytes) -> None:
    """As asking each value in turn would tell."""
    values = [SECRET, b"s3cr3t-s4cret", b"\x00" * 9, data[-3:] + b"-and-more"]
    want = max((n for v in values for n in range(1, len(v)) if data.endswith(v[:n])), default=0)
    assert Literals(values).held_back(data) == want


@given(
    st.lists(st.sampled_from([*list(MANY)[:3], b"Value-", b"VALUE-00003", b"v", b"AL"]), max_size=9),
    st.integers(1, 9),
    st.booleans(),
)
def test_small_and_capital_letters_can_be_the_same(parts: list[bytes], size: int, many: bool) -> None:
    """However a stream is cut, whatever stands around, and few values or many."""
    data, given_values = b"".join(parts), MANY if many else dict(list(MANY.items())[:3])
    literals = Literals(given_values, any_case=True)
    stream = LiteralStream(literals)
    out = b"".join(stream.feed(data[i : i + size]) for i in range(0, len(data), size)) + stream.end()
    assert out == literals.replace(data)
    assert not any(value in out.lower() for value in given_values)
    if not any(value in data.lower() for value in given_values):
        assert literals.replace(data) is data
