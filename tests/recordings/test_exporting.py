"""Law: an export says what the journal says: byte for byte, as OCSF events, or in cells that are no formulas."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.codes import Code
from recordings.acts import (
    GatewayMove,
    approval_move,
    authentication_failure,
    entity_change,
    file_event,
    gateway_event,
    incident,
    own_call,
    person,
    token_issued,
)
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.exporting import COLUMNS, Form, cells, exported, harmless
from recordings.lines import parse
from recordings.ocsf import Kind
from recordings.querying import Query, in_order
from recordings.writer import Record, Writer


@pytest.fixture
def everything(tmp_path: Path, call: Call) -> Path:
    """A journal with an event of every kind, and of every move of the gateway."""
    assert call.agent
    agent, now = call.agent, call.time
    address = {"target": "crm", "host": "crm.corp.example", "port": 443, "scheme": "https", "method": "GET"}
    events: list[Event] = [
        intent(call, time=now),
        outcome(call, status=200, time=now, masked={"PERSON": 2}, approval="apr_1", error="=cmd|' /C calc'!A0"),
        refusal(call, code=Code.DENIED_BY_RULE, status=403, reason="=HYPERLINK(1)", time=now),
        approval_move(approval="apr_1", state="approved", previous="pending", by=person("ann"), time=now, agent=agent),
        entity_change(entity="Grant", uid="g1", change="delete", by=person("ann"), time=now, comment="+1"),
        authentication_failure(address="10.0.0.1", reason="expired", count=3, first=now, last=now, time=now),
        token_issued(agent=agent, token="t1", way="token-exchange", address="", ends=now, time=now),
        own_call(
            **address, agent=agent, decision="d-1", path="/x?y", purpose="lookup", status=200, started=now, seconds=0.1
        ),  # type: ignore[arg-type]
        incident(title="Another effect", agent=agent, decision="d-1", target="crm", time=now, details={"a": 1}),
        file_event(Kind.RETENTION, time=now, name="journal/main", details={"files": []}),
        *(gateway_event(move, time=now) for move in GatewayMove),
    ]
    writer = Writer.open(tmp_path / "data")
    for number, event in enumerate(events):
        flow = b"1:%d}" % (number % 10) if event.kind == Kind.OUTCOME else None
        writer.write([Record(entries=(event.entry(),), flow=flow, session=event.session)])
    writer.close()
    return tmp_path / "data"


def lines(data_dir: Path, form: Form) -> list[str]:
    """The whole export."""
    return list(exported(in_order(data_dir, Query()), form))


def test_events_of_every_kind_are_ocsf(everything: Path, ocsf: Callable[[Mapping[str, Any]], None]) -> None:
    """Each fits its class of the schema, as it is exported."""
    found = [json.loads(line) for line in lines(everything, Form.OCSF)]
    for event in found:
        ocsf(event)
    kinds = {json.loads(line)["kind"] for line in lines(everything, Form.JSONL)}
    assert kinds == {kind.value for kind in Kind}


def test_json_lines_are_the_journal(everything: Path) -> None:
    """Byte for byte, with hashes that still fit."""
    whole = b"".join(path.read_bytes() for path in sorted((everything / "journal").rglob("*.jsonl")))
    found = lines(everything, Form.JSONL)
    assert "".join(f"{line}\n" for line in found).encode() == whole
    assert all(parse(line.encode()) for line in found)


def test_a_table_holds_every_line_and_no_formula(everything: Path) -> None:
    """A row of as many cells for each."""
    head, *rows = csv.reader(io.StringIO("\n".join(lines(everything, Form.CSV))))
    assert tuple(head) == COLUMNS
    assert len(rows) == len(lines(everything, Form.JSONL))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert any(cell == "'=HYPERLINK(1)" for row in rows for cell in row)


@given(cell=st.text())
def test_no_cell_is_a_formula(cell: str) -> None:
    """Nor ends its row, nor is cut."""
    made = harmless(cell)
    assert not made.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert made.isprintable()
    assert len(made) - len(cell) in {0, 1}
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([made, "next"])
    assert next(csv.reader(io.StringIO(text.getvalue()))) == [made, "next"]


def test_cells_stand_under_their_heads(everything: Path) -> None:
    """For one line by hand."""
    row = next(row for row, _ in in_order(everything, Query()) if row.kind == "outcome")
    found = dict(zip(COLUMNS, cells(row), strict=True))
    assert found["agent"] == "a1"
    assert found["masked"] == "PERSON:2"
    assert found["status"] == "200"
    assert found["approval"] == "apr_1"


@pytest.mark.parametrize(
    ("cell", "shown"), [("a;=1+1", "a;'=1+1"), ('";  @x', "\";  '@x"), ("a;b", "a;b"), ("a=b", "a=b")]
)
def test_the_next_cell_is_none_either(cell: str, shown: str) -> None:
    """Where the semicolon separates cells, what follows one begins another."""
    assert harmless(cell) == shown
