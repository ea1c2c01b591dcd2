"""Law: every gateway on a store answers a question once, under its own name, and no answer is lost over another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehold.reloading import asking
from gatehold.reloading.pending import Acceptance
from gatehold.reloading.reports import Outcome, Report
from gatehold.store import Store, open_store
from gatehold.store.outbox import waiting

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


def test_a_persons_word_is_told_with_the_question(store: Store) -> None:
    """Who, why, what would be gone, in which files: in the question, in every attempt, and on its way to the journal."""
    word = Acceptance(revision="new", before="old", reason="moved away", gone=("the rule wall (deny) is gone",))
    with store.writing() as connection:
        question = asking.accept(connection, word, by="user:ada", now=NOW)
        [found] = asking.open_questions(connection, since=NOW, now=NOW)
        assert (found.asked_by, found.accepted, found.accept_removals) == ("user:ada", word, True)
        asking.answer(connection, question, "gateway", GOOD, now=NOW + 1)
        attempt = asking.find(connection, question)
    assert attempt is not None
    assert (attempt.accepted, attempt.answers) == (word, {"gateway": GOOD})
    [event] = [each.event for each in waiting(store)]
    assert event == {
        "kind": "removals-accepted", "by": "user:ada", "reload": question, "before": "old", "revision": "new",
        "reason": "moved away", "gone": ["the rule wall (deny) is gone"],
    }  # fmt: skip


def test_the_word_of_a_command_is_for_the_files_that_it_read(store: Store) -> None:
    """In the place of whatever is in force; without files it is for any, and no question without it has one."""
    with store.writing() as connection:
        for accept, revision in ((True, "r"), (True, ""), (False, "r")):
            asking.ask(connection, by="os:ada", accept_removals=accept, revision=revision, now=NOW)
        words = [each.accepted for each in asking.open_questions(connection, since=NOW, now=NOW)]
    assert sorted(words, key=str) == [Acceptance(), Acceptance(revision="r"), None]
