"""Flows against what the journal says of them."""

from hashlib import sha256
from pathlib import Path

import pytest

from recordings.deletioncheck import DeletionCheck
from recordings.flowcheck import FlowCheck
from recordings.lines import FlowRef

NAME = "recordings/2027-01-15/s-1.flow"


@pytest.fixture
def check(tmp_path: Path) -> FlowCheck:
    """A file of two flows, announced."""
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"1:a}2:bc}")
    check = FlowCheck(tmp_path, DeletionCheck(tmp_path / "journal"))
    check.open(NAME)
    return check


def ref(data: bytes, offset: int, *, length: int | None = None, file: str = NAME) -> FlowRef:
    """A place of a flow."""
    return FlowRef(
        file=file, length=len(data) if length is None else length, offset=offset, sha256=sha256(data).hexdigest()
    )


def test_flows_in_order_are_right(check: FlowCheck) -> None:
    """One behind the other, then sealed at the end of the last."""
    notes: list[str] = []
    assert check.check(ref(b"1:a}", 0)) == ""
    assert check.unsealed() == [NAME]
    assert check.check(ref(b"2:bc}", 4)) == ""
    assert check.seal({"file": NAME, "length": 9}, notes) == ""
    assert list(check.check_ends({NAME: 9}, notes)) == []
    assert (check.unsealed(), notes) == ([], [])


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        (ref(b"2:bc}", 4), "where the one before ends"),
        (ref(b"1:b}", 0), "was changed"),
        (ref(b"1:a}", 0, length=20), "ends within"),
        (ref(b"1:a}", 0, length=10**17), "ends within"),
        (ref(b"1:a}", 0, file="recordings/other.flow"), "not open"),
        (ref(b"1:a}", 0, file="../../etc/passwd"), "not open"),
    ],
)
def test_wrong_flows_are_told(check: FlowCheck, flow: FlowRef, problem: str) -> None:
    """In words, with the file."""
    assert problem in check.check(flow)


def test_a_wrong_seal_is_told(check: FlowCheck) -> None:
    """Of a file that is not open, or at another length."""
    assert "not open" in check.seal({"file": "x", "length": 0}, [])
    assert "sealed at 3" in check.seal({"file": NAME, "length": 3}, [])


def test_flows_that_a_crash_left_are_noted(check: FlowCheck) -> None:
    """Their hashes hold as well; what was cut off is told."""
    notes: list[str] = []
    left = ref(b"1:a}", 0)
    said = {"length": left.length, "offset": left.offset, "sha256": left.sha256}
    assert check.seal({"file": NAME, "length": 4, "unreferenced": [said], "torn": 5}, notes) == ""
    assert len(notes) == 2
    assert [message for _, message in check.check_ends({NAME: 9}, notes)] == ["has 9 bytes, but was sealed with 4"]
