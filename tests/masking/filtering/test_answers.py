"""Law: what is hidden is not in the answer; what stays is spelled as it came; what is not understood is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.filtering.answers import filter_list, filter_object, pass_status
from tests.masking.filtering.objects import PARTIAL, TABLE, TEAM_A, WEB, listed, names, no_token, pod, table


@pytest.mark.parametrize("kind", ["PodList", "List", "PartialObjectMetadataList", "WidgetList"])
def test_lists(kind: str) -> None:
    """Of any kind."""
    result = filter_list(listed(pod("a"), pod("b", "b"), pod("c"), pod("d", None), kind=kind), TEAM_A, no_token)
    assert names(result.text) == ["a", "c"]
    assert [one.name for one in result.shown] == ["a", "c"]
    assert [one.name for one in result.hidden] == ["b", "d"]
    assert result.dropped == 2


@pytest.mark.parametrize("whole", [True, False], ids=["Object", "Metadata"])
def test_tables(whole: bool) -> None:
    """Whether rows hold the object or its metadata; a row of which it is not said what it is about goes."""
    items = [item if whole else PARTIAL | {"metadata": item["metadata"]} for item in (pod("web-1"), pod("api-1"))]
    answer = table(*items, columns=[{"name": "Name"}])
    answer["rows"] += [{"cells": ["web-2"], "object": None}, {"cells": ["web-3"]}, 7]
    result = filter_list(json.dumps(answer), WEB, no_token)
    assert names(result.text) == ["web-1"]
    assert "api-1" not in result.text
    assert "web-2" not in result.text
    assert json.loads(result.text)["columnDefinitions"] == [{"name": "Name"}]
    assert result.dropped == 4


def test_a_list_in_a_list() -> None:
    """Each is filtered inside, also several levels down."""
    inner = json.loads(listed(pod("a"), pod("b", "b")))
    outer = listed(inner, pod("c"), pod("d", "b"), json.loads(listed(inner, kind="List")), kind="List")
    result = filter_list(outer, TEAM_A, no_token)
    answer = json.loads(result.text)
    assert [each["metadata"]["name"] for each in answer["items"][0]["items"]] == ["a"]
    assert answer["items"][1]["metadata"]["name"] == "c"
    assert [each["metadata"]["name"] for each in answer["items"][2]["items"][0]["items"]] == ["a"]
    assert len(answer["items"]) == 3
    assert '"b"' not in result.text


def test_an_object_of_a_list_kind_is_an_object() -> None:
    """A resource may be called so; its name makes the difference."""
    allow = {"kind": "AllowList", "items": ["x"]} | pod("a", "b")
    assert names(filter_list(listed(allow, kind="List"), TEAM_A, no_token).text) == []


def test_what_stays_is_spelled_as_it_came() -> None:
    """Numbers, escapes and spaces."""
    kept = '{ "metadata": {"name":"w\\u0065b-1"} , "n": 1.10e+02, "big": 123456789012345678901234567890 }'
    text = f'{{"kind":"XList","items": [ {{"metadata":{{"name":"api"}}}}, {kept} ],"metadata":{{}}}}\n'
    assert filter_list(text, WEB, no_token).text == f'{{"kind":"XList","items": [{kept}],"metadata":{{}}}}\n'
    text = f'{{"kind":"XList","items": [ {kept} ],"metadata":{{"resourceVersion":"1"}}}}\n'
    assert filter_list(text, WEB, no_token).text == text


@pytest.mark.parametrize("items", [None, []])
def test_empty_lists(items: Any) -> None:
    """Go writes null for an empty one."""
    text = json.dumps({"kind": "PodList", "items": items})
    assert filter_list(text, WEB, no_token).text == text


def test_the_lists_metadata_tells_nothing_of_what_is_hidden() -> None:
    """The token is sealed, the count and whatever is not known are gone; the rest stays."""
    text = listed(pod("a"), resourceVersion="7", remainingItemCount=5, **{"continue": "clear"}, other="x")
    result = filter_list(text, TEAM_A, lambda token: f"sealed-{len(token)}")
    assert json.loads(result.text)["metadata"] == {"resourceVersion": "7", "continue": "sealed-5"}
    text = listed(pod("a"), resourceVersion="7", **{"continue": ""})
    assert filter_list(text, TEAM_A, no_token).text == text


@pytest.mark.parametrize(
    "answer",
    [[], 1, {}, {"kind": "Pod", "metadata": {"name": "a"}}, {"kind": "PodList"}, {"kind": "Table", "items": []}, TABLE,
     {"kind": "PodList", "items": {}}, {"kind": "PodList", "items": [], "extra": 1}, {"kind": 1, "items": []},
     {"kind": "PodList", "items": [], "metadata": []}, {"kind": "PodList", "items": [], "metadata": {"continue": 1}},
     {"kind": "Status", "status": "Success"}, {"kind": "Table", "rows": [], "extra": 1}, {"items": []}],
)  # fmt: skip
def test_what_is_no_list_is_refused(answer: Any) -> None:
    """It cannot be said where its objects are."""
    with pytest.raises(Unmaskable):
        filter_list(json.dumps(answer), TEAM_A, no_token)


@pytest.mark.parametrize("text", ["", "a", '{"kind":"PodList","items":[],"items":[]}', listed() + "x", listed()[:-1]])
def test_what_is_no_json_is_refused(text: str) -> None:
    """Also where a reader could take it for two things."""
    with pytest.raises(Unmaskable):
        filter_list(text, TEAM_A, no_token)


def test_lists_nested_for_their_own_sake_are_refused() -> None:
    """There is a bound."""
    value = json.loads(listed(kind="List"))
    for _ in range(8):
        value = json.loads(listed(value, kind="List"))
    with pytest.raises(Unmaskable):
        filter_list(json.dumps(value), TEAM_A, no_token)


def test_one_object() -> None:
    """It is shown as it came, or not at all."""
    text = json.dumps({"kind": "Pod", "spec": {"n": 1.50}} | pod("a"))
    assert filter_object(text, TEAM_A).text == text
    assert filter_object(text, TEAM_A).shown
    assert not filter_object(json.dumps({"kind": "Pod"} | pod("a", "b")), TEAM_A).shown
    assert not filter_object(json.dumps({"kind": "Pod"}), TEAM_A).shown


def test_one_object_as_a_table() -> None:
    """By its row."""
    assert filter_object(json.dumps(table(pod("a"))), TEAM_A).shown
    hidden = filter_object(json.dumps(table(pod("a", "b"))), TEAM_A)
    assert not hidden.shown
    assert names(hidden.text) == []


@pytest.mark.parametrize("answer", [{}, {"metadata": {"name": "a"}}, {"kind": "Status"}, [], {"kind": "Table"}])
def test_what_is_no_object_is_refused(answer: Any) -> None:
    """Nobody could judge it."""
    with pytest.raises(Unmaskable):
        filter_object(json.dumps(answer), TEAM_A)


def test_errors_pass() -> None:
    """A Status as it came, but for the token by which an expired list can be continued."""
    text = json.dumps({"kind": "Status", "metadata": {}, "message": "no", "code": 410})
    assert pass_status(text, no_token) == text
    expired = json.dumps({"kind": "Status", "metadata": {"continue": "clear"}, "code": 410})
    assert json.loads(pass_status(expired, str.upper))["metadata"] == {"continue": "CLEAR"}
    with pytest.raises(Unmaskable):
        pass_status(listed(pod("a")), no_token)


TEAMS = st.sampled_from(["a", "b", None])


@given(teams=st.lists(TEAMS, max_size=12), as_table=st.booleans(), indent=st.sampled_from([None, 1]))
def test_exactly_what_is_visible_stays(teams: list[str | None], as_table: bool, indent: int | None) -> None:
    """In order, equal to a list that had only that in it."""
    pods = [pod(f"p{number}", team) for number, team in enumerate(teams)]
    seen = [each for each, team in zip(pods, teams, strict=True) if team == "a"]
    whole, expected = (
        (table(*pods), table(*seen)) if as_table else (json.loads(listed(*pods)), json.loads(listed(*seen)))
    )
    result = filter_list(json.dumps(whole, indent=indent), TEAM_A, no_token)
    assert json.loads(result.text) == expected
    assert result.dropped == len(pods) - len(seen)
