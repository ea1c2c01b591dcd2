"""Law: a query finds exactly the lines that fit all that was asked for, in either order."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.codes import Code
from policy.model import DecisionId, TargetName
from recordings.events import Call, outcome, refusal
from recordings.events import Resource as Thing
from recordings.journal import JournalLimits
from recordings.listing import Filter, Row, rows
from recordings.querying import Query, Resource, in_order, newest
from recordings.writer import Record, Writer, WriterLimits

TARGETS, TYPES, NAMES = ("crm", "m\u00fcller"), ("pods", "customers"), ("", "a", "b")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, make_call: Callable[[], Call]) -> Path:
    """Sixty calls over several files."""
    path = tmp_path_factory.mktemp("querying")
    writer = Writer.open(path, limits=WriterLimits(journal=JournalLimits(file_size=10_000)))
    for number in range(60):
        thing = Thing(type=TYPES[number % 2], name=NAMES[number % 3], namespace="prod" if number % 5 else "")
        call = replace(
            make_call(), id=DecisionId(f"d-{number}"), target=TargetName(TARGETS[number % 4 // 2]), resources=(thing,)
        )
        if number % 3:
            event = outcome(call, status=200, time=call.time, approval="apr_1" if number % 7 == 0 else "")
        else:
            event = refusal(call, code=Code.DENIED_BY_RULE, status=403, reason=f"No {number}\u00e9", time=call.time)
        writer.write([Record(entries=(event.entry(),))])
    writer.close()
    return path


FILTERS = st.builds(
    Filter,
    target=st.sampled_from(["", *TARGETS, "other"]),
    verdict=st.sampled_from(["", "allow"]),
    kinds=st.sampled_from([frozenset(), frozenset({"refusal"}), frozenset({"outcome", "refusal"})]),
)
RESOURCES = st.builds(
    Resource,
    type=st.sampled_from(["", *TYPES]),
    name=st.sampled_from(NAMES),
    namespace=st.sampled_from(["", "prod", "dev"]),
)
QUERIES = st.builds(
    Query,
    only=FILTERS,
    code=st.sampled_from(["", "denied-by-rule", "allowed"]),
    approval=st.sampled_from(["", "apr_1"]),
    resource=st.none() | RESOURCES,
    text=st.sampled_from(["", "LIST pods", "no 3\u00c9", "limit=5"]),
)


def fits(query: Query, row: Row) -> bool:
    """The same, said in another way."""
    event = row.raw["event"]
    things = event.get("resources", [])
    about = query.resource is None or any(
        query.resource.type in ("", thing.get("type", ""))
        and query.resource.name in ("", thing.get("name", ""))
        and query.resource.namespace in ("", thing.get("namespace", ""))
        for thing in things
    )
    words = json.dumps(event, ensure_ascii=False).casefold()
    return (
        about
        and query.only.takes(row)
        and query.code in ("", row.code)
        and query.approval in ("", row.approval)
        and (query.text.casefold() in words or query.text == "")
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(query=QUERIES)
def test_exactly_what_fits_is_found(data_dir: Path, query: Query) -> None:
    """In order, and the newest first."""
    wanted = [row.seq for row in rows(data_dir) if fits(query, row)]
    assert [row.seq for row, _ in in_order(data_dir, query)] == wanted
    assert [row.seq for row, _ in newest(data_dir, query)] == wanted[::-1]


def test_lines_come_as_they_stand(data_dir: Path) -> None:
    """With both orders."""
    whole = [raw for path in sorted(data_dir.rglob("*.jsonl")) for raw in path.read_bytes().splitlines()]
    assert [raw for _, raw in in_order(data_dir, Query())] == whole
    assert [raw for _, raw in newest(data_dir, Query())] == whole[::-1]


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("pods", Resource(type="pods")),
        ("pods/a", Resource(type="pods", name="a")),
        ("prod/pods/a", Resource(type="pods", name="a", namespace="prod")),
        ("prod/pods/*", Resource(type="pods", namespace="prod")),
        ("*/deployments.apps/a", Resource(type="deployments.apps", name="a")),
    ],
)
def test_resources_as_people_write_them(text: str, resource: Resource) -> None:
    """A star is any."""
    assert Resource.parse(text) == resource


def test_what_is_no_resource() -> None:
    """Too many parts."""
    with pytest.raises(ValueError, match="NAMESPACE/TYPE/NAME"):
        Resource.parse("a/b/c/d")


def test_a_journal_beside_the_gateways_is_not_read(data_dir: Path) -> None:
    """Whoever put it there would else have said something."""
    before = len(list(in_order(data_dir, Query())))
    beside = data_dir / "journal" / "other"
    shutil.copytree(data_dir / "journal" / "main", beside)
    try:
        assert len(list(in_order(data_dir, Query()))) == len(list(newest(data_dir, Query()))) == before
    finally:
        shutil.rmtree(beside)
