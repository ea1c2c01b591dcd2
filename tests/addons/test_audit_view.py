"""Law: an auditor sees the decision above the body, whatever an agent chose stands on one line, and nothing is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import contentviews, exceptions, http
from mitmproxy.test import taddons, tflow, tutils

from addons.audit_view import Audit, AuditView, Journal

WORDS = {
    "agent": "planner-1",
    "approval": "apr_1",
    "code": "allowed",
    "decision": "dec_1",
    "input": '{"at": 1.0, "groups": ["planners"], "claims": {"team": "a"}, "hidden": {"body": [["card"]]}, "objects": {"old": {}}}',
    "mask": ["pii", "pci"],
    "masked": {"EMAIL_ADDRESS": 3},
    "rule": "r-1",
    "verdict": "allow",
}


def flow(words: Any = WORDS, content: bytes = b'{"a":1}') -> http.HTTPFlow:
    """A recorded call."""
    answer = tutils.tresp(content=content, headers=http.Headers(((b"content-type", b"application/json"),)))
    made = tflow.tflow(resp=answer)
    made.metadata = {} if words is None else {"gatehold": words}
    return made


def line(seq: int, kind: str = "outcome", *, decision: str = "dec_1", **event: Any) -> str:
    """A line of the journal."""
    own = event.pop("own", {})
    words = {"seq": seq, "time": 1000 * seq, "kind": kind, "event": {**event, "unmapped": {"gatehold": own}}}
    return json.dumps(words | ({"decision": decision} if decision else {}))


def forget() -> None:
    """Leave mitmproxy as it was."""
    for name in ("audit", "terminal"):
        contentviews.registry._by_name.pop(name, None)


def shown(made: http.HTTPFlow, journal: Path | None = None) -> contentviews.ContentviewResult:
    """The answer as mitmweb shows it when no view is chosen."""
    view = AuditView()
    with taddons.context(view) as context:
        if journal is not None:
            context.configure(view, audit_journal=str(journal))
        assert made.response is not None
        try:
            return contentviews.prettify_message(made.response, made)
        finally:
            forget()


def test_the_decision_stands_above_the_body() -> None:
    """The body as it would be shown without the view."""
    result = shown(flow())
    assert result.view_name == "Audit"
    block, _, body = result.text.partition("\n---\n")
    assert block.splitlines() == [
        "decision: dec_1", "verdict: allow", "code: allowed", "rule: r-1", "agent: planner-1", "approval: apr_1",
        "masked by pii, pci:", "  EMAIL_ADDRESS: 3",
        "claims:", '  team: "a"', "groups: planners", "hidden:", '  body: [["card"]]', "objects: old",
    ]  # fmt: skip
    assert body == '{\n    "a": 1\n}'


def test_a_flow_of_somebody_else_is_shown_as_ever() -> None:
    """The view is no choice for it."""
    assert shown(flow(None)).view_name == "JSON"
    assert shown(flow("text")).view_name == "JSON"


def test_requests_and_messages_are_shown_as_ever() -> None:
    """But the view can be chosen."""
    made, view = flow(), Audit(Journal())
    assert view.render_priority(b"", contentviews.Metadata(flow=made, http_message=made.request)) == 0


def test_lines_of_the_journal_stand_with_it(tmp_path: Path) -> None:
    """Those of the decision and of its approval, in order; what cannot be read is passed over."""
    lines = [
        line(9, status_code="allowed", api={"response": {"code": 200}}),
        line(7, "intent"),
        line(8, "approval", decision="", own={"approval": "apr_1", "state": "approved"}, comment="fine",
             entity={"type": "approval"}, actor={"user": {"name": "ada"}}),
        line(6, decision="dec_2"),
        "{", "[]", '{"event": {"unmapped": {"gatehold": 3}}}', '{"seq": 1}', "\xff",
    ]  # fmt: skip
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(lines))
    text = shown(flow(), path).text.partition("journal:\n")[2].partition("\n---")[0]
    assert text.splitlines() == [
        "  - 7 1970-01-01T00:00:07.000+00:00 intent",
        "  - 8 1970-01-01T00:00:08.000+00:00 approval approved by ada fine",
        "  - 9 1970-01-01T00:00:09.000+00:00 outcome allowed 200",
    ]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """As mitmweb tells wrong options."""
    with pytest.raises(exceptions.OptionsError, match="No such file"):
        shown(flow(), tmp_path / "none")


@given(
    st.dictionaries(
        st.sampled_from([*WORDS, "other"]),
        st.text() | st.integers() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()),
    )
)
def test_no_word_makes_a_line_of_its_own(words: dict[str, Any]) -> None:
    """Whatever stands in a record: each word is on its line, and the view does not fail."""
    block = shown(flow(words)).text.partition("---")[0]
    assert shown(flow(words)).view_name == "Audit"
    assert all(each.isprintable() for each in block.splitlines())


def test_nothing_is_sent_again() -> None:
    """A flow that somebody replays in the viewer gets an answer that says so; one that is loaded does not."""
    made, view = flow(), AuditView()
    view.request(made)
    assert made.response
    assert made.response.status_code == 200
    made.is_replay, made.response = "request", None
    view.request(made)
    assert made.response
    assert made.response.status_code == 403


@pytest.mark.parametrize(
    ("content", "protocol", "view", "text"),
    [
        (b"\x01total 0\n", "v5.channel.k8s.io", "Terminal", "stdout: total 0\n"),
        (b"\x00ls\x1b[0m", "v4.channel.k8s.io", "Terminal", "stdin: ls.[0m"),
        (b"\x09\xff", "v5.channel.k8s.io", "Terminal", "9: \N{REPLACEMENT CHARACTER}"),
        (b"\x01hello", "chat", "Raw", ".hello"),
        (b"", "v5.channel.k8s.io", "Raw", ""),
    ],
)
def test_what_was_said_in_a_terminal(content: bytes, protocol: str, view: str, text: str) -> None:
    """Is text after the name of its stream; of other WebSockets it is shown as ever."""
    made = tflow.twebsocketflow()
    made.metadata = {"gatehold": WORDS}
    assert made.response
    assert made.websocket
    made.response.headers["sec-websocket-protocol"] = protocol
    message = made.websocket.messages[0]
    message.content = content
    with taddons.context(AuditView()):
        try:
            result = contentviews.prettify_message(message, made)
        finally:
            forget()
    assert (result.view_name, result.text) == (view, text)
