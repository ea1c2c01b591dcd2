"""Law: what the standard's library signs, we sign alike; a secret of another form is refused and not repeated."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver

from gatehold.channels import signing

KEYS = st.binary(min_size=24, max_size=64)


@given(KEYS, st.text(), st.integers(0, 4_000_000_000), st.from_regex(r"\Amsg_[0-9a-f]{24}\Z"))
def test_as_the_library(key: bytes, body: str, now: int, delivery: str) -> None:
    data = body.encode("utf-8", "replace")
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = dict(signing.headers(delivery, data, signing.keys(secret), now=now + 0.9))
    assert headers["webhook-timestamp"] == str(now)
    wanted = Receiver(secret).sign(delivery, datetime.fromtimestamp(now, UTC), data.decode())
    assert headers["webhook-signature"] == wanted


@given(st.lists(KEYS, min_size=1, max_size=3))
def test_several(keys: list[bytes]) -> None:
    secret = " ".join("whsec_" + base64.b64encode(key).decode() for key in keys)
    assert signing.keys(secret) == tuple(keys)
    assert len(dict(signing.headers("m", b"", keys, now=0))["webhook-signature"].split()) == len(keys)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    """Nothing of it is in the message."""
    if not text.startswith(signing.PREFIX):
        with pytest.raises(ValueError, match="a webhook's secret") as refused:
            signing.keys(text)
        assert len(text) < 12 or text not in str(refused.value)


@pytest.mark.parametrize("size", [23, 65])
def test_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        signing.keys("whsec_" + base64.b64encode(b"x" * size).decode())
