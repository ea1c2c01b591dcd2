"""Law: the index finds what reading the whole journal finds, whatever happened to the journal since it last looked."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, RuleName, SessionId, TargetName, Verdict
from recordings.events import Call, Resource, outcome, refusal
from recordings.index import finding
from recordings.index.asking import Index
from recordings.index.schema import INDEX, Unusable
from recordings.journal import JournalLimits, journal_files
from recordings.listing import CALLS, Filter, SessionRow, rows, timeline
from recordings.listing import sessions as read_sessions
from recordings.querying import Query, newest
from recordings.querying import Resource as OfResource
from recordings.retention import Kept, Retention, Wanted
from recordings.scanning import scan
from recordings.writer import Record, Writer, WriterLimits
from tests.recordings.conftest import Clock

SMALL = WriterLimits(journal=JournalLimits(file_size=20_000), part_size=300)
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
START = Clock().now


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, make_call: Callable[[], Call]) -> Path:
    """Eighty calls of three agents in four sessions to three targets: refused ones, streams in pieces, pods."""
    data_dir, clock = tmp_path_factory.mktemp("indexed") / "data", Clock()
    writer = Writer.open(data_dir, limits=SMALL, clock=clock)
    for number in range(80):
        clock.now += 10
        writer.write(lines_of(made(make_call(), number), number, clock.now))
        writer.tidy()
    writer.close()
    return data_dir


def made(call: Call, number: int) -> Call:
    """One call; what it is follows from its number."""
    agent = Agent(
        issuer="corp", subject=f"a{number % 3}", session=SessionId("" if number % 11 == 0 else f"s-{number % 4}")
    )
    verdict, code = (Verdict.DENY, Code.DENIED_BY_RULE) if number % 5 == 0 else (Verdict.ALLOW, Code.ALLOWED)
    judged = Decision(verdict=verdict, code=code, rule=RuleName(f"r-{number % 2}"), revision="1")
    pod = Resource(type="pods", name=f"p-{number % 6}", namespace=f"ns-{number % 2}")
    return replace(
        call,
        id=DecisionId(f"d-{number // 2 if number % 7 == 0 else number}"),
        agent=agent,
        target=TargetName(f"t-{number % 3}"),
        judged=judged,
        resources=(pod,) if number % 2 else (),
    )


def lines_of(call: Call, number: int, now: float) -> list[Record]:
    """Its end, or pieces of a stream."""
    session = call.agent.session if call.agent else ""
    flow = b"3:abc}" if session else None
    if call.judged is not None and call.judged.verdict is Verdict.DENY:
        events = [refusal(call, code=Code.DENIED_BY_RULE, status=403, reason="no", time=now, approval="ap-1")]
    elif number % 6 == 1:
        events = [outcome(call, status=200, time=now, part=part, masked={"PERSON": part * 2}) for part in (1, 2, 3)]
    else:
        events = [outcome(call, status=200, time=now, masked={"PERSON": number % 3})]
    return [Record(entries=(event.entry(),), flow=flow, session=session) for event in events]


def queries() -> st.SearchStrategy[Query]:
    """Questions, most of which have an answer."""
    some = st.sampled_from
    only = st.builds(
        Filter,
        agent=some(["", "", "a0", "a1", "nobody"]),
        target=some(["", "", "t-0", "t-2"]),
        rule=some(["", "", "r-0", "r-1"]),
        verdict=some(["", "", "allow", "deny"]),
        session=some(["", "", "s-1"]),
        decision=some(["", "", "", "d-5", "d-7"]),
        kinds=some([frozenset(), CALLS, frozenset({"refusal"})]),
        since=st.none() | st.integers(0, 900).map(lambda after: START + after + 0.5),
        until=st.none() | st.integers(0, 900).map(lambda after: START + after),
    )
    things = [None, OfResource(type="pods"), OfResource(type="pods", name="p-3"), OfResource(namespace="ns-1")]
    return st.builds(
        Query,
        only=only,
        code=some(["", "", "allowed", "denied-by-rule"]),
        approval=some(["", "", "ap-1"]),
        resource=some([None, *things]),
        text=some(["", "", "list"]),
    )


def read(data_dir: Path, query: Query) -> list[SessionRow]:
    """Sessions as reading the journal finds them."""
    found: dict[str, SessionRow] = {}
    for row in rows(data_dir):
        if row.kind in CALLS and query.takes(row):
            found.setdefault(row.session, SessionRow(session=row.session, agent=row.agent, issuer=row.issuer)).add(row)
    return list(found.values())


def plain(session: SessionRow) -> SessionRow:
    """Without what a reader remembers."""
    return replace(session, streams={})


@MANY
@given(query=queries(), limit=st.integers(1, 30))
def test_it_finds_what_is_there(data_dir: Path, query: Query, limit: int) -> None:
    """Lines, sessions with their sums, pages one after the other."""
    with Index(data_dir) as index:
        assert index.update()
        expected = [row for row, _ in newest(data_dir, query)]
        assert [each.row for each in index.newest(query)] == expected
        first = index.scan(query.only, limit=limit, seconds=60)
        assert first == replace(scan(data_dir, query.only, limit=limit), bytes=first.bytes, older=first.older)
        if first.older:
            rest = index.scan(query.only, limit=1000, at=first.older, seconds=60)
            assert first.found + rest.found == scan(data_dir, query.only, limit=1000).found
    assert [plain(each) for each in finding.sessions(data_dir, query)] == [
        plain(each) for each in read(data_dir, query)
    ]
    assert finding.newest(data_dir, query, limit) == expected[:limit]


@pytest.mark.parametrize("name", ["s-1", "s-3", "d-5", "d-7", "d-1", "nothing", ""])
def test_timelines(data_dir: Path, name: str) -> None:
    """Of a session, of a decision with one line or several."""
    assert finding.timeline(data_dir, name) == timeline(data_dir, name)


@pytest.mark.parametrize("harm", ["no database", "another version", "removed", "a directory"])
def test_without_a_usable_index(data_dir: Path, tmp_path: Path, harm: str) -> None:
    """It is made again, or the journal is read; the answer is the same."""
    copy = tmp_path / "data"
    shutil.copytree(data_dir, copy)
    path = copy / INDEX
    for other in copy.glob(f"{INDEX}*"):
        other.unlink()
    if harm == "no database":
        path.write_bytes(b"no database" * 1000)
    elif harm == "another version":
        finding.sessions(copy, Query())
        with Index(copy) as index:
            index._connection.execute("PRAGMA user_version = 99")
    elif harm == "a directory":
        path.mkdir()
    assert [plain(each) for each in finding.sessions(copy, Query())] == [plain(each) for each in read_sessions(copy)]
    if path.is_file():
        assert path.stat().st_mode & 0o777 == 0o600 or harm == "no database"


def test_it_follows_the_journal(tmp_path: Path, make_call: Callable[[], Call]) -> None:
    """New lines, lines that were taken back and written otherwise, deleted files, and another journal altogether."""
    data_dir, clock = tmp_path / "data", Clock()
    writer = Writer.open(data_dir, limits=SMALL, clock=clock)
    with Index(data_dir) as index:
        for number in range(30):
            writer.write(lines_of(made(make_call(), number), number, clock.now))
            assert index.update()
            check(index, data_dir)
        newest_file = journal_files(data_dir / "journal" / "main")[-1]
        before = newest_file.stat().st_size
        writer.write(lines_of(made(make_call(), 30), 30, clock.now))
        index.update()
        with newest_file.open("ab") as file:
            file.truncate(before)
        index.update()
        check(index, data_dir)
        writer.close(seal=False)
        writer = Writer.open(data_dir, limits=SMALL, clock=clock)
        writer.write(lines_of(made(make_call(), 32), 32, clock.now))
        index.update()
        check(index, data_dir)
        clock.now += 1e6
        retention = Retention(data_dir)
        plan = retention.plan(Wanted(retain=1.0), Kept(), now=clock.now)
        assert any(each.segment for each in plan.doomed)
        retention.carry_out(plan, now=clock.now)
        index.update()
        check(index, data_dir)
        writer.close()
        shutil.rmtree(data_dir / "journal")
        writer = Writer.open(data_dir, limits=SMALL, clock=clock)
        writer.write(lines_of(made(make_call(), 33), 33, clock.now))
        writer.close()
        index.update()
        check(index, data_dir)


def check(index: Index, data_dir: Path) -> None:
    """Every line is found once."""
    assert [each.row for each in index.newest(Query())] == [row for row, _ in newest(data_dir, Query())]


def test_another_account_leaves_no_index(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway could not open it; what is asked is answered all the same."""
    copy = tmp_path / "data"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns(f"{INDEX}*"))
    monkeypatch.setattr("recordings.index.schema.os.geteuid", lambda: 65_000)
    assert len(finding.sessions(copy, Query())) == len(read_sessions(copy))
    assert not list(copy.glob(f"{INDEX}*"))


def test_there_is_no_index_without_a_journal(tmp_path: Path) -> None:
    """A question to an empty directory leaves it empty."""
    assert finding.sessions(tmp_path, Query()) == []
    assert finding.timeline(tmp_path, "s-1") == []
    assert not list(tmp_path.iterdir())


def test_a_reader_with_little_time_says_so(data_dir: Path, tmp_path: Path) -> None:
    """So that whoever asks can read the journal instead; two feeders of one index do not get into each other's way."""
    copy = tmp_path / "data"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns(f"{INDEX}*"))
    with Index(copy) as one, Index(copy) as other:
        assert not one.update(seconds=0.0)
        assert other.update(gentle=True)
        assert one.update()
        check(one, copy)
    with pytest.raises(Unusable):
        one.update()


DAMAGES = (
    "DELETE FROM place",
    "UPDATE place SET begin = -5",
    "UPDATE place SET end = 4611686018427387904",
    "UPDATE place SET file = 7, seq = 'x'",
    "UPDATE lines SET begin = -5",
    "UPDATE lines SET time = 'x'",
    "UPDATE lines SET file = 'x', masked = 'y'",
    "CREATE TRIGGER t BEFORE UPDATE ON place BEGIN DELETE FROM lines; END",
    "DROP TABLE lines; CREATE VIEW lines AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_ends_nothing(data_dir: Path, tmp_path: Path, damage: str) -> None:
    """Whatever stands in the file: commands answer, a gateway goes on, and nothing of it is run."""
    shutil.copytree(data_dir, tmp_path / "data")
    with Index(tmp_path / "data") as index:
        index.update()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / INDEX)) as connection:
        connection.executescript(damage)
    found = finding.sessions(tmp_path / "data", Query())
    assert {each.session for each in found} <= {each.session for each in read_sessions(tmp_path / "data")}
    finding.newest(tmp_path / "data", Query(), 5)
    finding.timeline(tmp_path / "data", "s-1")
    if "TRIGGER" in damage:
        assert found
