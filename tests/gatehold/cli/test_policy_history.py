"""``gatehold policy whatif|suggest|coverage|shadow|diff``: policies held against what was recorded, as people ask."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gatehold.cli.main import main
from gatehold.config import load
from tests.gatehold.history.recorded import Camera, write

BASIC = Path(__file__).parents[3] / "examples" / "basic"
JSON = [("Content-Type", "application/json")]
SHADOW = """
  - {name: no-orders, effect: deny, mode: shadow, http: {targets: [crm], paths: ["/orders"]}}
"""


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(["policy", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, err = run([*arguments, "--json"], capsys)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with calls in its data directory."""
    directory = tmp_path_factory.mktemp("config")
    for file in BASIC.glob("*.yaml"):
        shutil.copy(file, directory)
    camera = Camera(load(directory))
    records = [
        camera.record("/customers/7", at=1_790_000_000.0),
        camera.record("/customers/8", at=1_790_000_100.0),
        camera.record("/orders", at=1_790_000_200.0, decision="dec_orders"),
        camera.record("/secret", at=1_790_000_300.0),
        camera.record("/customers/ada@example.com", at=1_790_000_400.0),
        camera.record("/repos/acme/shop/issues", target="github", method="POST", headers=JSON, body=b'{"title": "x"}'),
    ]
    write(directory / "data", {"a-1": records})
    return directory


@pytest.fixture
def candidate(config: Path, tmp_path: Path) -> Path:
    """The same without orders, and with a rule in shadow."""
    for file in config.glob("*.yaml"):
        text = file.read_text().replace('"/customers/**", "/orders"]', '"/customers/**"]')
        (tmp_path / file.name).write_text(text + (SHADOW if file.name == "policy.yaml" else ""))
    return tmp_path


def test_whatif(config: Path, candidate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What changes, call by call, with both answers; what cannot be compared, and why."""
    asked = ["whatif", "--config", str(config), "--candidate", str(candidate)]
    found = answer(asked, capsys)
    (change,) = found["items"]
    assert (change["decision"], change["operation"], change["agent"]) == ("dec_orders", "GET /orders", "planner-1")
    assert (change["before"]["verdict"], change["after"]["verdict"]) == ("allow", "deny")
    assert change["before"]["obligations"]["mask"] == ["pci", "pii"]
    assert found["counts"] == {"calls": 6, "compared": 5, "changed": 1, "incomparable": 1, "unjudged": 0}
    assert [each["because"] for each in found["incomparable"]] == list(found["reasons"])
    assert answer([*asked, "--since", "2030-01-01"], capsys)["counts"]["calls"] == 0


def test_whatif_for_people(config: Path, candidate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["whatif", "--config", str(config), "--candidate", str(candidate)], capsys)
    assert code == 0
    assert "GET /orders  allow (planners-read-customers)  deny (default-deny)" in out
    assert "6 calls: 5 compared, 1 of them change; 1 not comparable; 0 refused before policy was asked" in out
    assert "not comparable, 1: rule no-exports reads http.path" in out


def test_whatif_as_a_gate(config: Path, candidate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 where something changes; where something cannot be compared as well, unless that is waived."""
    gate = ["whatif", "--fail-on-change", "--config", str(config), "--candidate"]
    assert run([*gate, str(candidate)], capsys)[0] == 1
    assert run([*gate, str(config)], capsys)[0] == 1
    assert run([*gate, str(config), "--ignore-incomparable"], capsys)[0] == 0
    assert run([*gate, str(candidate), "--ignore-incomparable"], capsys)[0] == 1


def test_nothing_recorded(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage, said: nothing is compared with nothing."""
    for command in (["whatif", "--candidate", str(config)], ["suggest"], ["coverage"], ["shadow"]):
        code, out, err = run([*command, "--config", str(config), "--recordings", str(tmp_path)], capsys)
        assert (code, out) == (2, "")
        assert "no flow files" in err
    code, _, err = run(["suggest", "--config", str(config), "--since", "yesterday"], capsys)
    assert (code, "neither a duration" in err) == (2, True)


def test_suggest(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed can be checked, and lets through what passed; what did not pass is left out."""
    code, out, err = run(["suggest", "--config", str(config), "--approver", "sre"], capsys)
    assert (code, err) == (0, "")
    assert "/customers/{id}: 3 calls, 2026-09-21T14:13Z to 2026-09-21T14:20Z" in out
    assert "secret" not in out
    for name in ("gateway.yaml", "targets.yaml"):
        (tmp_path / name).write_text((config / name).read_text().replace("policies: [basic]", "policies: [suggested]"))
    (tmp_path / "policy.yaml").write_text(out)
    with pytest.raises(SystemExit) as ended:
        main(["check", "--config", str(tmp_path)])
    assert not ended.value.code
    capsys.readouterr()
    found = answer(["whatif", "--config", str(config), "--candidate", str(tmp_path)], capsys)
    verdicts = {each["operation"]: each["after"]["verdict"] for each in found["items"]}
    # Without the example's mask everything changes; but nothing that passed is denied.
    assert verdicts == {
        "GET /customers/{id}": "allow",
        "GET /orders": "allow",
        "POST /repos/acme/shop/issues": "hold",
    }


def test_suggest_for_what_was_denied(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where no rule allowed it."""
    found = answer(["suggest", "--config", str(config), "--denied", "--name", "mine"], capsys)
    assert found["policy"]["metadata"] == {"name": "mine"}
    assert "/secret" in found["policy"]["rules"][0]["http"]["paths"]


def test_unused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules that no call matched, with their place."""
    found = answer(["suggest", "--unused", "--config", str(config)], capsys)
    unused = {each["rule"]: each for each in found["items"]}
    assert "deletes-need-an-approval" in unused
    assert unused["deletes-need-an-approval"]["place"].endswith("policy.yaml:12")
    assert "planners-read-customers" not in unused
    assert "no-exports" not in unused  # the masked path may have been about it
    code, out, _ = run(["suggest", "--unused", "--config", str(config)], capsys)
    assert (code, "rules matched none of 6 calls" in out) == (0, True)


def test_coverage(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What each rule did."""
    found = answer(["coverage", "--config", str(config)], capsys)
    rules = {each.pop("rule"): each for each in found["items"]}
    assert rules["planners-read-customers"] == {
        "matched": 4,
        "true": 4,
        "false": 0,
        "error": 0,
        "unclear": 0,
        "decided": 3,
        "first": "2026-09-21T14:13:20.000Z",
        "last": "2026-09-21T14:20:00.000Z",
    }
    assert (rules["no-exports"]["unclear"], rules["no-exports"]["first"]) == (1, None)
    code, out, _ = run(["coverage", "--config", str(config)], capsys)
    assert (code, "6 calls, 0 refused before policy was asked" in out) == (0, True)


def test_shadow(config: Path, candidate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a rule in shadow would have changed; here nothing: orders are denied already."""
    recordings = ["--recordings", str(config / "data")]
    (found,) = answer(["shadow", "--config", str(candidate), *recordings], capsys)["items"]
    assert (found["rule"], found["matched"], found["changes"]) == ("no-orders", 1, [])
    code, out, _ = run(["shadow", "--config", str(candidate), *recordings], capsys)
    assert (code, "no-orders" in out) == (0, True)
    assert "no rule is in shadow" in run(["shadow", "--config", str(config)], capsys)[1]


def test_diff(config: Path, candidate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells that differ, verbs together; with --fail-on-change exit 1."""
    asked = ["diff", "--config", str(config), "--candidate", str(candidate)]
    assert answer(asked, capsys)["items"] == [
        {
            "agent": {"issuer": None, "group": "planners", "subject": None},
            "target": "crm",
            "verbs": ["GET", "HEAD"],
            "resource": "/orders",
            "namespace": None,
            "before": "allow; always mask pci, pii (block)",
            "after": "deny",
        }
    ]
    code, out, _ = run([*asked, "--fail-on-change"], capsys)
    assert (code, "1 difference" in out) == (1, True)
    assert answer([*asked, "--target", "main"], capsys)["items"] == []
    assert run(["diff", "--config", str(config), "--candidate", str(config), "--fail-on-change"], capsys)[0] == 0
