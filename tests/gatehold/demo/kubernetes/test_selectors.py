"""Label and field selectors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.resources import CONFIGMAPS, EVENTS, PODS
from gatehold.demo.kubernetes.selectors import field_predicate, format_selector, label_predicate, match_labels
from gatehold.demo.kubernetes.statuses import ApiError


def labelled(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "x", "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "matching", "other"),
    [
        ("", {"a": "1"}, None),
        ("a=1", {"a": "1"}, {"a": "2"}),
        ("a==1", {"a": "1"}, {}),
        ("a!=1", {}, {"a": "1"}),
        ("a in (1, 2)", {"a": "2"}, {"a": "3"}),
        ("a notin (1,2)", {"a": "3"}, {"a": "1"}),
        ("a", {"a": ""}, {"b": "1"}),
        ("!a", {"b": "1"}, {"a": "1"}),
        ("a>5", {"a": "6"}, {"a": "x"}),
        ("a<5", {"a": "4"}, {"a": "5"}),
        ("a=1,b in (2,3),!c", {"a": "1", "b": "3"}, {"a": "1", "b": "3", "c": ""}),
        ("a=", {"a": ""}, {"a": "1"}),
    ],
)
def test_label_selectors(selector: str, matching: dict[str, str], other: dict[str, str] | None) -> None:
    """Every operator takes what it should and leaves what it should not."""
    wanted = label_predicate(selector)
    assert wanted(labelled(**matching))
    if other is not None:
        assert not wanted(labelled(**other))


@given(st.text("ab01=!,() inot<>./-", max_size=20))
def test_any_selector_parses_or_is_refused(text: str) -> None:
    """A bad selector is a bad request and nothing else."""
    for make in (label_predicate, lambda selector: field_predicate(selector, PODS)):
        try:
            code = int(make(text)(labelled(a="1")))
        except ApiError as error:
            code = error.code
        assert code in (True, False, 400)


def test_field_selectors() -> None:
    """Name and namespace select everywhere, other fields where the resource has them."""
    pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"hostNetwork": True}, "status": {"phase": "Running"}}
    assert field_predicate("metadata.name=p,metadata.namespace==n", PODS)(pod)
    assert field_predicate("status.phase!=Pending,spec.hostNetwork=true,spec.nodeName=", PODS)(pod)
    assert not field_predicate("metadata.name=q", PODS)(pod)
    assert field_predicate("involvedObject.kind=Pod", EVENTS)({"involvedObject": {"kind": "Pod"}})
    with pytest.raises(ApiError, match=r"field label not supported: status\.phase"):
        field_predicate("status.phase=x", CONFIGMAPS)


def test_label_selectors_of_objects() -> None:
    """matchLabels and matchExpressions must all hold; the string form shows both."""
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["b", "a"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "env", "operator": "NotIn", "values": ["x"]},
            {"key": "new", "operator": "Exists"},
        ],
    }
    test = match_labels(selector)
    assert test({"app": "web", "tier": "a", "new": ""})
    assert not test({"app": "web", "tier": "c", "new": ""})
    assert not test({"app": "web", "tier": "a", "new": "", "old": ""})
    assert not match_labels(None)({"app": "web"})
    assert format_selector(selector) == "app=web,tier in (a,b),!old,env notin (x),new"
    assert format_selector({}) == "<none>"
