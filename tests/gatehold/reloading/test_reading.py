"""Law: a configuration that is not sound, fails its own tests, loses protection or takes a restart is not taken."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.reloading.reading import Candidate, read
from gatehold.reloading.reports import Outcome, Report, differences
from gatehold.reloading.restarts import TAKEN, needs_restart
from tests.gatehold.reloading.files import GATEWAY, TESTS, WALLS, write


def test_what_is_sound_may_come(tmp_path: Path) -> None:
    """With its tests passed; what did not change is said to be so."""
    before = load(write(tmp_path))
    assert read(before, accept_removals=False) == Report(
        outcome=Outcome.UNCHANGED, revision=before.revision, policy=before.engine.revision
    )
    write(tmp_path, walls=WALLS.replace("[PATCH]", "[DELETE]"))
    found = read(before, accept_removals=False)
    assert isinstance(found, Candidate)
    assert found.tests == 1
    assert differences(before, found.configuration) == {"added": (), "changed": ("rule tried",), "removed": ()}


@pytest.mark.parametrize(
    ("files", "outcome", "told"),
    [
        ({"walls": WALLS.replace("deny", "denny")}, Outcome.INVALID, "walls.yaml:6: "),
        ({"walls": WALLS[: len(WALLS) // 2]}, Outcome.INVALID, "walls.yaml:"),
        (
            {"tests": TESTS.replace("verdict: deny", "verdict: allow")},
            Outcome.TESTS,
            "tests: nobody reads orders: wanted",
        ),
        ({"walls": ""}, Outcome.REMOVALS, "the file walls.yaml is gone"),
        ({"gateway": GATEWAY.replace("./data", "./other")}, Outcome.RESTART, "dataDir"),
        ({"gateway": GATEWAY.replace("./data}", "./data, store: {url: sqlite:///x.db}}")}, Outcome.RESTART, "store"),
    ],
)
def test_what_is_not_may_not(tmp_path: Path, files: dict[str, str], outcome: Outcome, told: str) -> None:
    """And why is said."""
    before = load(write(tmp_path))
    found = read(load(write(tmp_path)), accept_removals=False)
    write(tmp_path, **files)
    found = read(before, accept_removals=False)
    assert isinstance(found, Report)
    assert (found.outcome, found.problems[0][: len(told)]) == (outcome, told)
    assert not found.outcome.is_good
    assert Report.from_json(found.to_json()) == found
    accepted = read(before, accept_removals=True)
    assert isinstance(accepted, Candidate) or outcome in (Outcome.INVALID, Outcome.RESTART, Outcome.TESTS)


def test_only_three_keys_of_the_gateway_come_without_a_restart(tmp_path: Path) -> None:
    """Packs, required policies, approvals; whatever key is new takes a restart until somebody thinks of it."""
    before = load(write(tmp_path))
    more = "./data, packs: [kubernetes-discovery], policies: [walls], approvals: {hold: 7s}}"
    after = load(write(tmp_path, gateway=GATEWAY.replace("./data}", more)))
    assert not needs_restart(before, after)
    assert frozenset({"packs", "policies", "approvals"}) == TAKEN


def test_a_reverse_listener_keeps_its_address(tmp_path: Path) -> None:
    """It stands in for one host; where that host is reached may change."""
    listening = GATEWAY.replace("./data}", "./data, listen: [{mode: reverse, port: 8443, target: crm}]}")
    before = load(write(tmp_path, gateway=listening))
    moved = load(write(tmp_path, gateway=listening.replace("crm.corp.example:443", "crm2.corp.example:443")))
    assert needs_restart(before, moved) == ("the first host of target crm, for which a listener stands in",)
    dialled = listening.replace("hosts:", "connect: 10.0.0.7:8443, allowPrivate: true, hosts:")
    assert not needs_restart(before, load(write(tmp_path, gateway=dialled)))
