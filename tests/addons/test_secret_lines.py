"""Law: no value of a Secret is recorded, wherever its stream is cut; what is left out is counted."""

import json

import pytest

from addons.secret_lines import LONGEST, SecretLines


def _masked(body: bytes) -> bytes:
    return json.dumps(json.loads(body) | {"data": "***"}).encode()


LINE = b'{"kind": "Secret", "data": {"password": "hunter2x"}}\n'
KEPT = b'{"kind": "Secret", "data": "***"}\n'


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_each_line_is_masked_by_itself(size: int) -> None:
    """Also the last one, which need not end; between the chunks nothing of a line is given."""
    lines, whole = SecretLines(_masked), LINE * 3 + LINE[:-1]
    kept = b"".join(lines.feed(whole[at : at + size]) for at in range(0, len(whole), size))
    assert kept == KEPT * 3
    assert lines.held == len(LINE) - 1
    assert lines.end() == KEPT
    assert lines.end() == b""


@pytest.mark.parametrize(
    "line", [b'"password": "hunter2x",\n', b'["hunter2x"]\n', b"  password: hunter2x\n", b"\0hunter2x\n"]
)
def test_what_is_no_object_is_left_out(line: bytes) -> None:
    """Written over several lines an object does not tell what its values are."""
    assert SecretLines(_masked).feed(line + b"\n" + LINE) == b"[%d bytes left out]\n\n" % len(line) + KEPT


def test_a_line_that_is_too_long_is_left_out() -> None:
    """It is not held either; the next one is recorded again."""
    lines = SecretLines(_masked)
    piece = b" " * (LONGEST // 2)
    assert [lines.feed(each) for each in (LINE[:-1], piece, piece, piece)] == [b""] * 4
    assert lines.held <= LONGEST // 2
    left_out = len(LINE) + 3 * len(piece) + 1
    assert lines.feed(b"\n\n" + LINE) == b"[%d bytes left out]\n\n" % (left_out - 1) + KEPT


def test_the_rest_of_a_stream_that_broke_off_is_left_out() -> None:
    """Half of a Secret cannot be masked."""
    lines = SecretLines(_masked)
    lines.feed(LINE + LINE[:20])
    assert lines.cut() == b"[20 bytes left out]\n"
    assert lines.cut() == b""
