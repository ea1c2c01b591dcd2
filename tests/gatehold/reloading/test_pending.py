"""Law: what a person is shown is all that would be gone, and their word is for exactly that."""

import json
from dataclasses import replace
from pathlib import Path

from gatehold.config import Configuration, load
from gatehold.reloading.pending import Acceptance, Pending
from gatehold.reloading.reading import read
from gatehold.reloading.reports import Outcome, Report
from tests.gatehold.reloading.files import GATEWAY, WALLS, write

NOW = 1_000_000.0


def waiting(directory: Path, **files: str) -> tuple[Configuration, Pending]:
    """What is in force, and what waits once the files are these."""
    before = load(write(directory))
    write(directory, **files)
    report = read(before, accept_removals=False)
    assert isinstance(report, Report)
    assert report.outcome is Outcome.REMOVALS
    return before, Pending.of(before, report, now=NOW)


def test_rules_are_shown_with_what_they_said(tmp_path: Path) -> None:
    """With their place as it was, and what becomes of them; the other lines stand beside."""
    before, pending = waiting(tmp_path, gateway=GATEWAY.replace(", names]", "]"), walls="")
    assert {each.rule.name: each.lost for each in pending.rules} == {
        "wall": ("(deny) is gone",),
        "asks": ("(constrain) is gone",),
    }
    assert all(each.place.startswith(f"{before.directory}/walls.yaml:") for each in pending.rules)
    assert pending.others == (
        "the file walls.yaml is gone, and with it Policy walls",
        "the target crm has no mask by names any more",
    )
    assert set(pending.others) < set(pending.gone)
    assert len(pending.gone) == 4


def test_another_change_is_another_word(tmp_path: Path) -> None:
    """Other files, others in force, or another loss have another digest."""
    _, pending = waiting(tmp_path, walls=WALLS.replace(", approval: {groups: [sre]}", ", limit: {rate: 1/hour}"))
    others = [replace(pending, before="x"), replace(pending, revision="x"), replace(pending, gone=("x",))]
    assert len({pending.digest, *(each.digest for each in others)}) == 4
    assert replace(pending, since=0.0).digest == pending.digest


def test_a_word_is_kept(tmp_path: Path) -> None:
    """As it was said; the journal is told so many lines of it and how many more there are."""
    _, pending = waiting(tmp_path, walls="")
    word = pending.accepted("no longer needed")
    assert (word.before, word.revision, word.gone) == (pending.before, pending.revision, pending.gone)
    assert Acceptance.from_json(word.revision, json.loads(json.dumps(word.to_json()))) == word
    assert word.to_json(most=1)["gone"] == [pending.gone[0], "and 2 more"]
    assert Acceptance.from_json("", {}) == Acceptance()
