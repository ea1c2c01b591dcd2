"""Law: every gateway on a store answers a question once, under its own name, and no answer is lost over another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehold.reloading import asking
from gatehold.reloading.reports import Outcome, Report
from gatehold.store import Store, open_store

NOW = 1_000_000.0
GOOD = Report(outcome=Outcome.TAKEN, revision="r", policy="p", added=("rule a",), tests=3)
BAD = Report(outcome=Outcome.TESTS, revision="r", problems=("one",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store("sqlite", tmp_path) as made:
        yield made


def test_two_gateways_answer_one_question(store: Store) -> None:
    """Each finds it, also when the other has answered; both answers are there."""
    with store.writing() as connection:
        question = asking.ask(connection, by="os:ada", accept_removals=True, revision="r", now=NOW)
    for number, report in enumerate((GOOD, BAD, GOOD)):
        with store.writing() as connection:
            [found] = asking.open_questions(connection, since=NOW - 1, now=NOW + number)
            assert (found.id, found.asked_by, found.accept_removals) == (question, "os:ada", True)
            asking.answer(connection, question, f"gateway {number}", report, now=NOW + number)
    with store.reading() as connection:
        attempt = asking.find(connection, question)
        assert attempt is not None
        assert attempt.answers == {"gateway 0": GOOD, "gateway 1": BAD, "gateway 2": GOOD}
        assert asking.newest(connection) == attempt


def test_old_questions_are_nobodys(store: Store) -> None:
    """From before a gateway began, or that nobody waits for any more; nor what a gateway did by itself."""
    with store.writing() as connection:
        asking.ask(connection, by="os:ada", accept_removals=False, now=NOW)
        asking.note(connection, "gateway", "SIGHUP", GOOD, now=NOW)
        assert len(asking.open_questions(connection, since=NOW, now=NOW + asking.WAITING)) == 1
        assert not asking.open_questions(connection, since=NOW + 1, now=NOW + 2)
        assert not asking.open_questions(connection, since=NOW, now=NOW + asking.WAITING + 1)
        asking.answer(connection, "unknown", "gateway", GOOD, now=NOW)
        assert asking.find(connection, "unknown") is None
        asking.ask(connection, by="os:ada", accept_removals=False, now=NOW + asking.KEPT + 1)
        assert asking.newest(connection) is None, "old attempts are forgotten"
