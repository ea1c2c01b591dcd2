"""Law: what settled is tried once, what is asked is answered, and whatever happens the old configuration stays until a
sound one takes its place, in one assignment."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatehold.config import load
from gatehold.reloading import asking
from gatehold.reloading.pending import Acceptance
from gatehold.reloading.reports import Outcome
from gatehold.wiring import Gateway
from tests.gatehold.reloading.files import GATEWAY, TESTS, WALLS, write


@dataclass(slots=True)
class Noted:
    """A recorder that keeps what it is given."""

    events: list[Any] = field(default_factory=list)

    async def append(self, *, events: list[Any], **_more: object) -> None:
        self.events += events


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway.build(load(write(tmp_path / "config")))
    made.reloading._recorder = Noted()  # type: ignore[assignment]
    assert not await made.broker.prepare()
    yield made
    await made.broker.close()
    made.store.close()


def changed(at: Gateway, **files: str) -> None:
    """Other files, that look other ones whatever the clock of the file system."""
    directory = at.configuration.directory
    write(directory, **files)
    for path in directory.glob("*.yaml"):
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


def outcomes(gateway: Gateway) -> list[str]:
    """What the journal was told."""
    recorder: Any = gateway.reloading._recorder
    return [each.data["unmapped"]["gatehold"]["outcome"] for each in recorder.events]


async def test_what_settled_is_tried_once(gateway: Gateway) -> None:
    """Not while it still changes, and not again before it changes again."""
    before = gateway.ruling
    await gateway.reloading.turn()
    changed(gateway, walls=WALLS.replace("[PUT]", "[PUT, POST]"))
    await gateway.reloading.turn()
    assert gateway.ruling is before
    await gateway.reloading.turn()
    taken = gateway.ruling
    assert taken is not before
    assert taken.engine.revision != before.engine.revision
    for _ in range(3):
        await gateway.reloading.turn()
    assert gateway.ruling is taken
    assert outcomes(gateway) == ["taken"]


async def test_what_is_wrong_is_told_until_it_is_mended(gateway: Gateway) -> None:
    """Once; also where only the old files come back. ``doctor`` finds it in the store."""
    before = gateway.ruling
    changed(gateway, walls=WALLS.replace("deny", "denny"))
    for _ in range(4):
        await gateway.reloading.turn()
    assert "should be deny" in gateway.reloading.problem
    with gateway.store.reading() as connection:
        attempt = asking.newest(connection)
    assert attempt is not None
    assert [each.outcome for each in attempt.answers.values()] == [Outcome.INVALID]
    changed(gateway)
    for _ in range(2):
        await gateway.reloading.turn()
    assert gateway.reloading.problem == ""
    assert gateway.ruling is before
    assert outcomes(gateway) == ["invalid"]


async def test_words_of_files_obey_no_terminal(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """Names of files and of test cases are whatever somebody wrote; the log is read in a terminal."""
    changed(gateway, tests=TESTS.replace("nobody reads orders", '"x\\e[2J"').replace("verdict: deny", "verdict: allow"))
    assert (await gateway.reloading.attempt("files\x1b[2J", accepted=Acceptance())).outcome is Outcome.TESTS
    assert "x<U+001B>[2J" in caplog.text
    assert "\x1b" not in caplog.text


async def test_who_asks_is_answered(gateway: Gateway) -> None:
    """Each question once, with or without the word for removals."""
    changed(gateway, walls="")
    with gateway.store.writing() as connection:
        ids = [
            asking.ask(connection, by="os:ada", accept_removals=accept, now=gateway.reloading._since + 1)
            for accept in (False, True)
        ]
    await gateway.reloading.turn()
    with gateway.store.reading() as connection:
        attempts = [asking.find(connection, each) for each in ids]
    answers = [[report.outcome for report in each.answers.values()] for each in attempts if each]
    assert answers == [[Outcome.REMOVALS], [Outcome.TAKEN]]
    assert "wall" not in gateway.ruling.engine.rules
    await gateway.reloading.turn()
    assert outcomes(gateway) == ["removals", "taken"]


async def test_a_word_is_for_what_was_shown(gateway: Gateway) -> None:
    """Other files, or others in force by then: nothing of it comes, and what waits now is another thing to look at."""
    changed(gateway, walls=WALLS.replace("deny, http", "constrain, limit: {rate: 1/hour}, http"))
    await gateway.reloading.attempt("test")
    shown = gateway.reloading.pending
    assert shown is not None
    assert shown.gone == ("the rule wall was deny and is constrain",)
    changed(gateway, walls="")
    report = await gateway.reloading.attempt("test", accepted=shown.accepted("meant"))
    assert (report.outcome, report.revision != shown.revision) == (Outcome.REMOVALS, True)
    now = gateway.reloading.pending
    assert now is not None
    assert now.digest != shown.digest
    word = Acceptance(revision=now.revision, before="others", reason="meant")
    assert (await gateway.reloading.attempt("test", accepted=word)).outcome is Outcome.REMOVALS
    assert "wall" in gateway.ruling.engine.rules
    assert (await gateway.reloading.attempt("user:ada", accepted=now.accepted("meant"))).outcome is Outcome.TAKEN
    assert gateway.reloading.pending is None
    assert "wall" not in gateway.ruling.engine.rules
    recorder: Any = gateway.reloading._recorder
    told = recorder.events[-1].data["unmapped"]["gatehold"]
    assert (told["by"], told["reason"], told["accepted"]) == ("user:ada", "meant", list(now.gone))
    assert told["before"] != told["revision"]
    assert "rule wall" in told["removed"]


async def test_a_word_comes_before_the_files(gateway: Gateway) -> None:
    """They reach gateways at different times: it counts once they are here, and then no more."""
    directory, since = gateway.configuration.directory, gateway.reloading._since + 1
    gone = load(write(directory, walls="")).revision
    before = load(write(directory)).revision
    assert before == gateway.configuration.revision
    word = Acceptance(revision=gone, before=before, reason="meant")
    with gateway.store.writing() as connection:
        question = asking.accept(connection, word, by="user:ada", now=since)
    await gateway.reloading.turn()
    changed(gateway, walls="")
    for _ in range(3):
        await gateway.reloading.turn()
    assert gateway.configuration.revision == gone
    with gateway.store.reading() as connection:
        attempt = asking.find(connection, question)
    assert attempt is not None
    assert [each.outcome for each in attempt.answers.values()] == [Outcome.TAKEN]
    for walls in (WALLS, ""):
        changed(gateway, walls=walls)
        for _ in range(3):
            await gateway.reloading.turn()
    assert gateway.configuration.revision == before
    assert gateway.reloading.pending is not None


async def test_a_word_does_not_pass_over_the_tests(gateway: Gateway) -> None:
    """Files whose own tests fail are turned down; then they wait for nobody's word."""
    changed(gateway, walls="", tests=TESTS.replace("verdict: deny", "verdict: allow"))
    await gateway.reloading.attempt("test")
    shown = gateway.reloading.pending
    assert shown is not None
    assert (await gateway.reloading.attempt("x", accepted=shown.accepted("meant"))).outcome is Outcome.TESTS
    assert gateway.reloading.pending is None
    assert "wall" in gateway.ruling.engine.rules


async def test_a_gateway_that_fails_goes_on_as_it_was(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is that went wrong."""

    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    before = gateway.ruling
    gateway.reloading.serve(fails)  # type: ignore[arg-type]
    changed(gateway, walls=WALLS.replace("[PUT]", "[PUT, POST]"))
    report = await gateway.reloading.attempt("test")
    assert (report.outcome, report.problems) == (Outcome.FAILED, ("ZeroDivisionError; see the log",))
    assert gateway.ruling is before


async def test_what_did_not_change_is_kept(gateway: Gateway) -> None:
    """Masking is made anew only where a profile changed; an unusable credential brings nothing into force."""
    before = gateway.ruling
    changed(gateway, walls=WALLS.replace("[PUT]", "[PUT, POST]"))
    assert (await gateway.reloading.attempt("test")).outcome is Outcome.TAKEN
    assert gateway.ruling.masking is before.masking
    assert gateway.console.configuration is gateway.ruling.configuration
    keyed = GATEWAY.replace("hosts:", 'credential: {header: X-Key, value: "${env:NOT_THERE_AT_ALL}"}, hosts:')
    changed(gateway, gateway=keyed, walls=WALLS.replace("[PUT]", "[PUT, POST]"))
    report = await gateway.reloading.attempt("test")
    assert report.outcome is Outcome.INVALID
    assert "NOT_THERE_AT_ALL" in report.problems[0]
    assert gateway.ruling.configuration.targets["crm"].spec.credential is None
    assert "crm" in gateway.reloading.problem
