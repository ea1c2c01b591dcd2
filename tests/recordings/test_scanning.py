"""Laws of scans: the newest first, nothing twice and nothing left out, within their budget."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import scanning
from recordings.journal import journal_files
from recordings.lines import Entry, canonical, compose
from recordings.listing import Filter, row_of, rows
from recordings.scanning import Budget, Place, backwards, scan
from recordings.writer import Record, Writer


@pytest.fixture
def data_dir(tmp_path: Path, record: Callable[..., Record]) -> Path:
    """Twenty calls of two sessions, in two journal files."""
    for part in range(2):
        writer = Writer.open(tmp_path)
        for number in range(part * 10, part * 10 + 10):
            writer.write([record(number, session=f"s-{number % 2}", flow=False)])
        writer.close()
    return tmp_path


def decisions(done: scanning.Scan) -> list[str]:
    return [found.row.decision for found in done.found]


CALLS = Filter(kinds=frozenset({"outcome"}))
ALL = [f"d-{number}" for number in reversed(range(20))]


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))),
    st.binary(max_size=9),
    st.integers(1, 50),
)
def test_backwards_is_forwards_reversed(lines: list[bytes], torn: bytes, block: int) -> None:
    """Whatever the blocks are: every whole line that is not empty, with where it begins; never a torn one."""
    content = b"".join(line + b"\n" for line in lines) + torn.replace(b"\n", b"")
    file, before = BytesIO(content), scanning._BLOCK
    scanning._BLOCK = block  # type: ignore[misc]
    try:
        found = list(backwards(file, len(content)))
    finally:
        scanning._BLOCK = before  # type: ignore[misc]
    assert [line for _, line in reversed(found) if line] == [line for line in lines if line]
    assert all(content[place : place + len(line) + 1] == line + b"\n" for place, line in found)


def test_the_newest_come_first(data_dir: Path) -> None:
    """Over several files, as many as are asked for; then it goes on where it stopped."""
    assert decisions(scan(data_dir, CALLS, limit=100)) == ALL
    done = scan(data_dir, CALLS, limit=3)
    found = decisions(done)
    while done.older is not None:
        assert Place.parse(str(done.older)) == done.older
        assert len(done.found) == 3
        done = scan(data_dir, CALLS, limit=3, at=done.older)
        found += decisions(done)
    assert found == ALL


def test_it_takes_what_the_filter_takes(data_dir: Path) -> None:
    """Of every line that can be read, as the listing reads it."""
    only = Filter(session="s-1", kinds=frozenset({"outcome"}), text="/PODS?limit", verdict="allow", agent="a1")
    found = decisions(scan(data_dir, only, limit=100))
    assert found == [row.decision for row in rows(data_dir) if only.takes(row)][::-1]
    assert len(found) == 10
    assert not scan(data_dir, Filter(text="/nothing"), limit=100).found
    assert not scan(data_dir, Filter(until=1.0), limit=100).found


@given(st.text(max_size=5), st.text(alphabet='aK\u212a\u017fs?"\\\n\x7f/ ', max_size=4))
def test_no_path_is_passed_over(path: str, text: str) -> None:
    """A line is left unread only where the filter would not take it."""
    call: dict[str, Any] = {
        "class_uid": 1,
        "http_request": {"url": {}},
        "unmapped": {"gatehold": {}},
        "api": {"operation": ""},
    }
    plain, _, query = path.partition("?")
    call["http_request"]["url"] = {"path": plain, "port": 1} | ({"query_string": query} if query else {})
    raw, _ = compose(Entry(kind="outcome", body=canonical(call).encode()), chain="c", seq=1, prev="0" * 64, time=1)
    row, only = row_of(raw), Filter(text=text)
    assert row is not None
    if only.takes(row):
        assert scanning._said(text) in raw.lower() or b"\\u" in raw


def test_a_line_is_found_again(data_dir: Path) -> None:
    """By the place behind it."""
    [*_, found] = scan(data_dir, CALLS, limit=7).found
    [again] = scan(data_dir, CALLS, limit=1, at=found.place).found
    assert again.row == found.row


def test_it_ends_where_nothing_can_come(data_dir: Path) -> None:
    """At the time that was asked for, and at the line that is the last of interest."""
    assert scan(data_dir, Filter(since=4e9), limit=100) == scanning.Scan(
        bytes=scan(data_dir, Filter(since=4e9), limit=1).bytes
    )
    done = scan(data_dir, CALLS, limit=100, until_line=lambda row: row.decision == "d-15")
    assert decisions(done) == ALL[:5]


@pytest.mark.parametrize("budget", [Budget(bytes=10), Budget(seconds=-1.0)])
def test_a_budget_is_kept(data_dir: Path, budget: Budget, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not looked at is told, and where to go on."""
    monkeypatch.setattr(scanning, "_SLICE", 0.0)
    done = scan(data_dir, CALLS, limit=100, budget=budget)
    assert done.is_cut
    assert done.oldest is not None
    found = decisions(done) + decisions(scan(data_dir, CALLS, limit=100, at=done.older))
    assert found == ALL


def test_what_cannot_be_read_is_passed_over(data_dir: Path) -> None:
    """Lines that are none, and a torn one."""
    path = journal_files(data_dir / "journal" / "main")[-1]
    path.chmod(0o600)
    with path.open("ab") as file:
        file.write(b'[]\n{"event": 3}\n\xff\xfe\n{"chain')
    assert decisions(scan(data_dir, CALLS, limit=100)) == ALL
    assert scan(data_dir / "nowhere", CALLS, limit=1) == scanning.Scan()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "main/../x.jsonl:1",
        "main/000001-20260131.jsonl",
        "/000001-20260131.jsonl:1",
        "main/000001-20260131.jsonl:-1",
        "main/000001-20260131.jsonl:1\n",
    ],
)
def test_other_places_are_none(text: str) -> None:
    """A place comes back from a browser."""
    with pytest.raises(ValueError, match="no place"):
        Place.parse(text)


@given(st.text())
def test_places_are_read_strictly(text: str) -> None:
    """Either it is exactly what ``str`` writes, or it is none."""
    try:
        place = Place.parse(text)
    except ValueError:
        return
    assert ".." not in place.file
