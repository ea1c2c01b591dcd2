"""Signed checkpoints."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from recordings.checkpoints import (
    KEY_FILE,
    Checkpoint,
    Signer,
    public_keys,
    public_pem,
    read_checkpoints,
    signing_key,
)
from recordings.errors import JournalDamagedError

KEY = Ed25519PrivateKey.generate()


def signed(number: int = 1) -> Checkpoint:
    """A checkpoint of the test's key."""
    signer = Signer(KEY)
    for _ in range(number):
        checkpoint = signer.sign(chain="c1", file="000001-20270115.jsonl", seq=5, digest="ab" * 32, time=1234)
        signer.advance(checkpoint)
    return checkpoint


def test_a_checkpoint_is_read_back() -> None:
    """The line is the whole of it."""
    assert Checkpoint.parse(signed().line()) == signed()
    assert signed().signed_by([KEY.public_key()])


def test_checkpoints_follow_each_other() -> None:
    """Each names its number and its predecessor."""
    first, second = signed(1), signed(2)
    assert (first.number, second.number) == (1, 2)
    assert second.prev == first.digest


@pytest.mark.parametrize(
    "change", [{"seq": 6}, {"sha256": "cd" * 32}, {"number": 2}, {"chain": "c2"}, {"time": 1}, {"signature": "AA=="}]
)
def test_a_changed_checkpoint_is_not_signed(change: dict[str, int | str]) -> None:
    """The signature covers every field."""
    assert not replace(signed(), **change).signed_by([KEY.public_key()])  # type: ignore[arg-type]


def test_another_key_does_not_sign() -> None:
    """Neither by its signature nor by its name."""
    other = Ed25519PrivateKey.generate().public_key()
    assert not signed().signed_by([other])
    assert signed().signed_by([other, KEY.public_key()])
    assert not signed().signed_by([])


@given(st.binary(max_size=80) | st.sampled_from([b"{}", b"[]", b"null", b'{"chain":1}', b"\xff"]))
def test_anything_else_is_no_checkpoint(line: bytes) -> None:
    """Whatever bytes there are: none, and no exception."""
    assert Checkpoint.parse(line) is None


@given(st.data())
def test_no_byte_of_a_checkpoint_can_be_changed(data: st.DataObject) -> None:
    """It is then none any more, or not signed."""
    line = bytearray(signed().line())
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    found = Checkpoint.parse(bytes(line))
    assert found is None or not found.signed_by([KEY.public_key()])


def test_the_key_is_created_once(tmp_path: Path) -> None:
    """The first start makes the key, private; later ones use it."""
    key = signing_key(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert signing_key(tmp_path).private_bytes_raw() == key.private_bytes_raw()
    assert [found.public_bytes_raw() for found in public_keys(public_pem(key.public_key()).encode())] == [
        key.public_key().public_bytes_raw()
    ]


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    """A damaged key stops the start; its content is not told."""
    path = tmp_path / KEY_FILE
    path.parent.mkdir()
    path.write_text("SECRET")
    with pytest.raises(JournalDamagedError, match="not a private key") as error:
        signing_key(tmp_path)
    assert "SECRET" not in str(error.value)


def test_other_public_keys_are_refused() -> None:
    """Only Ed25519 keys verify checkpoints."""
    other = X25519PrivateKey.generate().public_key()
    for pem in (b"", b"nothing", other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(ValueError, match=r"Ed25519|PEM"):
            public_keys(pem)


def test_a_torn_checkpoint_is_told_apart(tmp_path: Path) -> None:
    """Whole lines are read, what follows them is handed back."""
    path = tmp_path / "x.checkpoint"
    path.write_bytes(signed(1).line() + b"\nrubbish\n" + signed(2).line()[:30])
    assert read_checkpoints(path) == ([signed(1), None], signed(2).line()[:30])
