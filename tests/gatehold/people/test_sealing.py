"""Law: only what was sealed here, unchanged and not long ago, opens."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatehold.people.sealing import LIFETIME, LONGEST, Login, Seal

SEAL = Seal()
LOGIN = Login(state="s", nonce="n", verifier="v", then="/approvals/1", started=100.0)


def test_there_and_back() -> None:
    """Nothing shows through; two seals of the same are different."""
    one, other = SEAL.close(LOGIN), SEAL.close(LOGIN)
    assert one != other
    assert SEAL.open(one, now=100.0) == LOGIN
    assert "approvals" not in one
    assert "verifier" not in repr(LOGIN)


def test_the_longest_fits() -> None:
    """Into a cookie that browsers keep, which needs no quotes."""
    login = Login(state="s" * 43, nonce="n" * 43, verifier="v" * 43, then="/" + "x" * 1023, started=100.0)
    assert len(SEAL.close(login)) < LONGEST
    for length in range(4):
        value = SEAL.close(replace(LOGIN, then="/" * length))
        assert "=" not in value
        assert SEAL.open(value, now=100.0)


def test_time() -> None:
    """Neither later nor before."""
    value = SEAL.close(LOGIN)
    assert SEAL.open(value, now=100.0 + LIFETIME) is None
    assert SEAL.open(value, now=99.0) is None


@given(st.text(max_size=400) | st.binary(max_size=300).map(lambda data: data.hex()))
def test_other_texts(text: str) -> None:
    """Open nothing."""
    assert SEAL.open(text, now=100.0) is None
    assert Seal().open(SEAL.close(LOGIN), now=100.0) is None


@given(st.integers(0, 10_000), st.sampled_from("ABab01-_"))
def test_changes(at: int, letter: str) -> None:
    """A changed letter is another text, unless it stands for the same bits."""
    value = SEAL.close(LOGIN)
    at %= len(value)
    changed = value[:at] + letter + value[at + 1 :]
    same = changed == value or at >= len(value.rstrip("=")) - 1
    assert SEAL.open(changed, now=100.0) in ((None, LOGIN) if same else (None,))
