"""Law: only JSON is filtered; what cannot be is refused, and nothing of it is told."""

import gzip
import json
from pathlib import Path

import pytest

from masking.encodings import Limits
from masking.errors import Unmaskable
from masking.filtering.engine import check_type, filter_answer, json_text
from masking.filtering.sight import Sight
from policy.model import FilterObligation, Visible
from tests.masking.filtering.objects import TEAM_A, listed, names, no_token, pod


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json;stream=watch", "Application/JSON; charset=utf-8"]
)
def test_json_is_read(content_type: str) -> None:
    """Whole or as a stream."""
    check_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/yaml", "application/cbor", "application/vnd.kubernetes.protobuf",
     "application/vnd.kubernetes.protobuf;stream=watch", "application/json; charset=utf-16", "application/json, text/plain",
     "application/problem+json"],
)  # fmt: skip
def test_nothing_else_is(content_type: str) -> None:
    """An answer without a type is no JSON."""
    with pytest.raises(Unmaskable):
        check_type(content_type)


def test_bodies_are_decoded() -> None:
    """gzip, as it was asked for."""
    text = listed(pod("a"))
    body = gzip.compress(text.encode())
    assert json_text(body, content_type="application/json", content_encoding="gzip", limits=Limits()) == text


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"k8s\x00{}", gzip.compress(b"{}", mtime=0), b"\x00", b"{" * 99])
def test_bodies_that_are_something_else_are_refused(body: bytes) -> None:
    """Whatever their type says."""
    with pytest.raises(Unmaskable):
        json_text(body, content_type="application/json", content_encoding="", limits=Limits(body=98))


def test_answers_by_what_was_asked() -> None:
    """A list, one object, a failure."""
    text = listed(pod("a"), pod("b", "b"))
    assert names(filter_answer(text, sight=TEAM_A, single=False, failed=False, seal=no_token).text) == ["a"]
    with pytest.raises(Unmaskable):
        filter_answer(text, sight=TEAM_A, single=False, failed=True, seal=no_token)
    assert not filter_answer(text, sight=TEAM_A, single=True, failed=False, seal=no_token).shown


RECORDED = Path(__file__).parents[2] / "cases" / "kubernetes" / "recorded.jsonl"
EVERYTHING = Sight(FilterObligation(visible=(Visible(),)))


def test_what_a_live_server_answers_is_understood() -> None:
    """Answers of an apiserver 1.36.2 to kubectl pass through an open door as they are."""
    reads = [
        each
        for each in map(json.loads, RECORDED.read_text().splitlines())
        if each["method"] == "GET" and "answer" in each
    ]
    assert reads
    for read in reads:
        text, failed = json.dumps(read["answer"]), read["status"] != 200
        is_list = "items" in read["answer"] or len(read["answer"].get("rows", [1])) != 1
        result = filter_answer(text, sight=EVERYTHING, single=not is_list, failed=failed, seal=no_token)
        assert result.text == text
        assert result.dropped == 0
