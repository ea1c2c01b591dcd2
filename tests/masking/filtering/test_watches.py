"""Law: a filtered watch shows a cache what it would hold, were there visible objects only, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.filtering.watches import MAX_EVENT, WatchFilter
from tests.masking.filtering.objects import PARTIAL, TEAM_A, event, pod, table


class Known(set[str]):
    """What was shown, kept in a set."""

    def discard(self, key: str, revision: str = "") -> None:
        """It is gone."""
        super().discard(key)


def _filter(*known: str) -> WatchFilter:
    return WatchFilter(TEAM_A, Known(known))


def _pass(watch: WatchFilter, *lines: str) -> list[dict[str, Any]]:
    passed = "".join(watch.feed(line.encode()).decode() for line in lines) + watch.end().decode()
    return [json.loads(line) for line in passed.splitlines()]


def test_the_table_of_changes() -> None:
    """What an agent is told of an object that is or becomes visible or hidden."""
    watch = _filter()
    assert _pass(watch, event("ADDED", pod("x", "b"))) == []
    assert _pass(watch, event("MODIFIED", pod("x", "b", 2))) == []
    (added,) = _pass(watch, event("MODIFIED", pod("x", "a", 3)))
    assert added == {"type": "ADDED", "object": pod("x", "a", 3)}
    (modified,) = _pass(watch, event("MODIFIED", pod("x", "a", 4)))
    assert modified["type"] == "MODIFIED"
    (gone,) = _pass(watch, event("MODIFIED", pod("x", "b", 5, spec={"secret": "planted"})))
    named = {"name": "x", "namespace": "prod", "uid": "uid-x", "resourceVersion": "5"}
    assert gone == {"type": "DELETED", "object": {"metadata": named}}
    assert _pass(watch, event("DELETED", pod("x", "b", 6))) == []


def test_what_was_listed_before_is_deleted() -> None:
    """A watch begins with what its client knows."""
    watch = _filter("uid-x")
    assert [each["type"] for each in _pass(watch, event("MODIFIED", pod("x", "b")))] == ["DELETED"]
    assert _pass(watch, event("MODIFIED", pod("x", "b"))) == []


def test_deletions_are_judged_by_the_last_state() -> None:
    """A visible object passes, known or not; a hidden one only by its name, and only where it is known."""
    lines = [event("DELETED", pod(name, team)) for name, team in (("a", "a"), ("b", "b"), ("c", "b"))]
    passed = _pass(_filter("uid-c"), *lines)
    assert [each["object"]["metadata"]["name"] for each in passed] == ["a", "c"]
    assert passed[0]["object"] == pod("a", "a")
    assert "labels" not in passed[1]["object"]["metadata"]


def test_what_stays_is_spelled_as_it_came() -> None:
    """Byte by byte."""
    line = '{"type":"ADDED","object":{"metadata":{"name":"x","labels":{"team":"a"}},"n":1.10e2}}\n'
    assert _filter().feed(line.encode()) == line.encode()
    assert _filter().feed(line.replace("ADDED", "MODIFIED").encode()) == line.encode()


def test_bookmarks_and_errors_pass() -> None:
    """Bookmarks of objects and of Tables, the one that ends the initial events too; an error ends the watch."""
    marked = {"kind": "Pod", "metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}
    rows = table() | {"rows": [{"cells": ["", ""], "object": PARTIAL | {"metadata": {"resourceVersion": "9"}}}]}
    error = {"kind": "Status", "metadata": {}, "code": 410}
    lines = [event("BOOKMARK", marked), event("BOOKMARK", rows), event("BOOKMARK", table()), event("ERROR", error)]
    assert _filter().feed("".join(lines).encode()).decode() == "".join(lines)


@pytest.mark.parametrize(
    "line",
    ["x\n", "[]\n", "{}\n", '{"type":"ADDED"}\n', event("ADDED", 1), event("ADDED", None), event("OTHER", pod("x")),
     event("BOOKMARK", pod("x")), event("BOOKMARK", {}), event("ERROR", pod("x")), event("BOOKMARK", table(pod("x"))),
     event("ADDED", table()), event("ADDED", table(pod("x"), pod("y"))), event("ADDED", table() | {"rows": [1]}),
     event("ADDED", table() | {"rows": None}), '{"type":"ADDED","object":{},"more":1}\n',
     '{"type":"ADDED","type":"DELETED","object":{}}\n', event("ADDED", pod("x")) [:-2] + "\n",
     json.dumps({"type": ["ADDED"], "object": {}}) + "\n", json.dumps({"type": 1, "object": {}}) + "\n"],
)  # fmt: skip
def test_what_is_no_event_ends_the_watch(line: str) -> None:
    """For good: nothing follows."""
    watch = _filter()
    with pytest.raises(Unmaskable):
        watch.feed(line.encode())
    with pytest.raises(Unmaskable):
        watch.feed(event("ADDED", pod("a")).encode())


def test_an_object_that_cannot_be_read_is_not_mentioned() -> None:
    """It cannot be judged."""
    assert (
        _pass(
            _filter(),
            event("ADDED", {}),
            event("ADDED", {"metadata": {"name": 1}}),
            event("ADDED", table() | {"rows": [{}]}),
        )
        == []
    )


def test_events_are_bounded() -> None:
    """A line that does not end is no line."""
    watch = _filter()
    with pytest.raises(Unmaskable):
        watch.feed(b" " * (MAX_EVENT + 1))


def test_a_torn_event_is_no_end() -> None:
    """The last line may lack its line feed, but must be whole."""
    line = event("ADDED", pod("a")).encode()
    watch = _filter()
    assert watch.feed(line[:-1]) == b""
    assert watch.end() == line
    torn = _filter()
    torn.feed(line[:-2])
    with pytest.raises(Unmaskable):
        torn.end()


@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_it_does_not_matter_where_the_stream_is_cut(cuts: list[int]) -> None:
    """The same events come out."""
    text = "".join(event("MODIFIED", pod(f"p{at}", "ab"[at % 2])) for at in range(6)).encode()
    expected = _filter().feed(text)
    watch, passed, at = _filter(), b"", 0
    for size in cuts:
        passed += watch.feed(text[at : at + size])
        at += size
    passed += watch.feed(text[at:]) + watch.end()
    assert passed == expected


COLUMNS = [{"name": "Name", "type": "string"}]


def test_tables() -> None:
    """Rows are judged; the columns come with the first event that is passed on, once."""
    shown = [event("ADDED", table(pod("a"), columns=COLUMNS)), event("MODIFIED", table(pod("a", "b")))]
    first, gone = _pass(_filter(), *shown)
    assert first["object"]["columnDefinitions"] == COLUMNS
    (row,) = gone["object"]["rows"]
    assert row["cells"] == ["a", None]
    assert row["object"]["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion"}
    assert gone["object"]["columnDefinitions"] is None
    hidden_first = [
        event("ADDED", table(pod("x", "b"), columns=COLUMNS)),
        event("ADDED", table(pod("a"))),
        event("ADDED", table(pod("c"))),
    ]
    passed = _pass(_filter(), *hidden_first)
    assert [each["object"]["columnDefinitions"] for each in passed] == [COLUMNS, None]
    bare = table(pod("a"))
    del bare["columnDefinitions"]
    passed = _pass(_filter(), hidden_first[0], event("ADDED", bare))
    assert passed[0]["object"]["columnDefinitions"] == COLUMNS
    (gone,) = _pass(_filter("uid-a"), hidden_first[0], event("MODIFIED", table(pod("a", "b"))))
    assert gone["object"]["columnDefinitions"] == COLUMNS


# An informer's cache: by namespace and name, as client-go keeps it.
type Cache = dict[str, dict[str, Any]]


def _apply(cache: Cache, change: dict[str, Any]) -> None:
    value = change["object"]
    value = value["rows"][0]["object"] if "rows" in value else value
    name = value["metadata"]["name"]
    if change["type"] == "DELETED":
        cache.pop(name, None)
    else:
        cache[name] = value


NAMES, TEAMS = st.sampled_from(["p", "q", "r"]), st.sampled_from(["a", "b", None])
STEPS = st.lists(st.tuples(NAMES, TEAMS, st.booleans()), max_size=30)


@given(before=st.dictionaries(NAMES, TEAMS), steps=STEPS, tables=st.booleans())
def test_a_cache_of_the_filtered_watch_is_the_filtered_cache(
    before: dict[str, str | None], steps: list[tuple[str, str | None, bool]], tables: bool
) -> None:
    """After every event, whatever becomes of the objects: labels flip, objects are deleted and made again."""
    everything: Cache = {name: pod(name, team) for name, team in before.items()}
    visible: Cache = {name: each for name, each in everything.items() if before[name] == "a"}
    mentioned = {each["metadata"]["uid"] for each in visible.values()}
    watch = _filter(*mentioned)
    for revision, (name, team, deleted) in enumerate(steps, 2):
        kind = ("DELETED" if deleted else "MODIFIED") if name in everything else "ADDED"
        value = pod(name, team, revision)
        change = {"type": kind, "object": table(value) if tables else value}
        _apply(everything, change)
        for told in _pass(watch, event(kind, change["object"])):
            _apply(visible, told)
        if kind != "DELETED" and team == "a":
            mentioned.add(value["metadata"]["uid"])
        expected = {
            each: value for each, value in everything.items() if value["metadata"].get("labels") == {"team": "a"}
        }
        assert visible == expected
        assert {each["metadata"]["uid"] for each in visible.values()} <= mentioned


@given(steps=STEPS)
def test_an_object_that_was_never_shown_is_never_mentioned(steps: list[tuple[str, str | None, bool]]) -> None:
    """Its name is not in the stream."""
    watch = _filter()
    shown: set[str] = set()
    for revision, (name, team, deleted) in enumerate(steps):
        value = pod(name, team, revision)
        passed = _pass(watch, event("DELETED" if deleted else "MODIFIED", value))
        if team == "a":
            shown.add(name)
        assert {each["object"]["metadata"]["name"] for each in passed} <= shown
