"""Law: what Slack's own library signs is taken, within five minutes, once, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from gatehold.channels.slack.signatures import WINDOW, Flaw, Signatures

NOW = 1_700_000_000
SECRET = "planted-signing-secret"


def signed(body: bytes, at: int = NOW) -> str:
    return str(SignatureVerifier(SECRET).generate_signature(timestamp=str(at), body=body))


@given(st.text(), st.integers(-WINDOW, WINDOW).map(int))
def test_as_the_library(body: str, offset: int) -> None:
    """Once."""
    data, signatures = body.encode("utf-8", "replace"), Signatures()
    at = NOW + offset
    arguments = (SECRET, data, [str(at)], [signed(data, at)])
    assert signatures.flaw(*arguments, now=NOW) is None
    assert signatures.flaw(*arguments, now=NOW) is Flaw.REPLAYED
    assert signatures.flaw(SECRET, data + b"x", [str(at)], [signed(data, at)], now=NOW) is Flaw.FORGED
    assert signatures.flaw("other", data, [str(at)], [signed(data, at)], now=NOW) is Flaw.FORGED


@pytest.mark.parametrize("offset", [-301, 301])
def test_out_of_time(offset: int) -> None:
    at = NOW + offset
    assert Signatures().flaw(SECRET, b"x", [str(at)], [signed(b"x", at)], now=NOW) is Flaw.STALE


@given(st.lists(st.text(), max_size=2), st.lists(st.text(), max_size=2))
def test_other_headers(times: list[str], signatures: list[str]) -> None:
    """Never an error, never taken."""
    assert Signatures().flaw(SECRET, b"x", times, signatures, now=NOW) is not None


@pytest.mark.parametrize(
    ("times", "signatures"),
    [
        ([], []),
        ([str(NOW)] * 2, ["v0=" + "0" * 64]),
        (["\uff11\uff17"], ["v0=" + "0" * 64]),
        ([str(NOW)], ["v1=" + "0" * 64]),
    ],
)
def test_malformed(times: list[str], signatures: list[str]) -> None:
    assert Signatures().flaw(SECRET, b"x", times, signatures, now=NOW) is Flaw.MALFORMED


def test_they_are_forgotten_in_time() -> None:
    """What is forgotten is out of its window."""
    signatures = Signatures()
    assert signatures.flaw(SECRET, b"x", [str(NOW)], [signed(b"x")], now=NOW) is None
    later = NOW + 2 * WINDOW + 1
    assert signatures.flaw(SECRET, b"y", [str(int(later))], [signed(b"y", int(later))], now=later) is None
    assert len(signatures._seen) == 1
    assert signatures.flaw(SECRET, b"x", [str(NOW)], [signed(b"x")], now=later) is Flaw.STALE
