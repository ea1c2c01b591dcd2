"""Law: what is typed is on record, masked, whatever else is typed around it."""

import secrets

import pytest

from masking.engine import MaskingEngine

KEY_BEGIN, KEY_END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"


def typed(engine: MaskingEngine, *pieces: bytes, tty: bool = False) -> bytes:
    record = engine.open_input(profiles=("pci", "secrets"), tty=tty)
    return b"".join(record.feed(piece) for piece in pieces) + record.end()


@pytest.mark.parametrize(
    "before",
    [b"\0", b"\xff", b"\x1f\x8b\x08", b"%PDF-1.7\n", b"PK\x03\x04\n", b"x" * 2_000_000 + b"\n", b"\xc3",
     KEY_BEGIN.encode() + b"\n", f"{KEY_BEGIN}\n{BODY}\nshort\n".encode(), secrets.token_bytes(70_000) + b"\n"],
)  # fmt: skip
def test_nothing_hides_the_commands_after_it(engine: MaskingEngine, before: bytes) -> None:
    """Bytes that a shell passes over; first bytes of archives; a line without an end; a key that never ends."""
    assert b"rm -rf /data now" in typed(engine, before, b"rm -rf /data now\n")


def test_values_are_masked(engine: MaskingEngine) -> None:
    """Also with NUL bytes between their letters."""
    card = "4111 1111 1111 1111\n"
    kept = typed(engine, card.encode(), card.encode("utf-16-le"), b"4111 1111 ", b"1111 1111\n")
    assert b"1111" not in kept
    assert kept.count(b"<CREDIT_CARD>") == 3


def test_a_key_is_hidden(engine: MaskingEngine) -> None:
    """From its beginning to its end."""
    kept = typed(engine, f"{KEY_BEGIN}\n{BODY}\n{BODY}\nMIIE==\n{KEY_END}\nls -l\n".encode())
    assert b"MIIE" not in kept
    assert kept.endswith(b"ls -l\n")


def test_a_line_typed_at_a_terminal_ends_with_its_key(engine: MaskingEngine) -> None:
    """And is on record then, not at the end of the session."""
    record = engine.open_input(profiles=("pci",), tty=True)
    assert record.feed(b"ls -l\r") == b"ls -l\r\n"
    assert record.held == 0


def test_of_an_archive_what_is_readable_is_kept(engine: MaskingEngine) -> None:
    """As ``strings`` would show it."""
    assert typed(engine, b"\xff" * 50 + b"readable words" + b"\xfe" * 50) == b"readable words\n"
