"""Law: a position comes back as it was saved, for its owner alone; rubbish is none."""

from pathlib import Path

import pytest

from gatehold.sinks.position import Position, load, position_file, save

HERE = Position(file="000007-20260131.jsonl", offset=1234, seq=99, sha256="ab" * 32)


def test_it_comes_back(tmp_path: Path) -> None:
    """And replaces the one before."""
    path = position_file(tmp_path, "siem")
    assert load(path) is None
    save(path, Position(file="000001-20260131.jsonl"))
    save(path, HERE)
    assert load(path) == HERE
    assert HERE.number == 7
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["siem.json"]


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{}", '{"file": "x"}', '{"file": "../../etc/passwd"}', '{"file": "000001-20260131.jsonl", "seq": "1"}',
        '{"file": "000001-20260131.jsonl", "offset": -1}', '{"file": 1}', '{"other": 1}', '{"file": null}',
    ],
)  # fmt: skip
def test_rubbish_is_none(tmp_path: Path, content: str) -> None:
    """A sink whose position cannot be read begins with the oldest line."""
    path = tmp_path / "x.json"
    path.write_text(content)
    assert load(path) is None
