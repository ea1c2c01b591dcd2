"""Law: a line or a row for each flow; nothing that an agent chose is a formula or steers a terminal."""

import csv
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.test import tflow, tutils

from recordings.flow_tables import COLUMNS, json_lines, table


def flow(path: bytes = b"/customers/7", content: bytes = b'{"a": 1}', *, answered: bool = True) -> http.HTTPFlow:
    """One call."""
    made = tflow.tflow(req=tutils.treq(path=path, content=content), resp=answered)
    own = {"decision": "d-1", "agent": "=cmd()", "masked": {"B": 2, "A": 1}, "verdict": "allow", "input": "{}"}
    made.metadata = {"gatehold": own}
    return made


def rows(*flows: http.HTTPFlow) -> list[dict[str, str]]:
    """The table, as any reader of CSV sees it."""
    return list(csv.DictReader(table(flows)))


def documents(*flows: http.HTTPFlow) -> list[dict[str, Any]]:
    """The lines."""
    return [json.loads(line) for line in json_lines(flows)]


def test_a_row_for_each_flow() -> None:
    """Without headers and bodies."""
    [row] = rows(flow())
    assert tuple(row) == COLUMNS
    assert (row["decision"], row["masked"], row["status"], row["request_bytes"]) == ("d-1", "A:1 B:2", "200", "8")
    assert row["agent"] == "'=cmd()"


def test_a_call_without_an_answer() -> None:
    """Has no status, and says how it broke off."""
    broken = flow(answered=False)
    broken.error = tflow.terr("the client left")
    [row], [document] = rows(broken), documents(broken)
    assert (row["status"], row["milliseconds"], row["error"]) == ("", "", "the client left")
    assert (document["response"], document["milliseconds"], document["error"]) == (None, None, "the client left")


def test_a_line_has_the_whole_call() -> None:
    """Words of the decision, request and answer; not the decision's input."""
    [document] = documents(flow(content=b"\xff"))
    assert document["request"]["body"] == {"base64": "/w=="}
    assert document["response"]["body"] == {"text": "message"}
    assert document["verdict"] == "allow"
    assert "input" not in document


def test_messages_of_a_web_socket_are_kept() -> None:
    """Who said it, and what."""
    [document] = documents(tflow.twebsocketflow())
    assert [(each["from"], each["text"]) for each in document["messages"]] == [
        ("agent", "hello binary"), ("agent", "hello text"), ("target", "it's me"),
    ]  # fmt: skip


@given(st.binary(min_size=1, max_size=40), st.binary(max_size=40))
def test_nothing_steers_a_terminal(path: bytes, content: bytes) -> None:
    """One line each, printable, whatever the agent sent."""
    made = flow(path, content)
    [line], [_, row] = list(json_lines([made])), list(table([made]))
    assert line.isascii()
    assert line.isprintable()
    assert row.isprintable()


def test_the_address_is_the_one_that_was_called() -> None:
    """And not what the agent wrote into Host."""
    forged = flow(b"/x")
    forged.request.headers["host"] = "elsewhere.example"
    assert rows(forged)[0]["url"] == documents(forged)[0]["request"]["url"] == "http://address:22/x"
