"""Laws of shown rules: each is there once, in the order in which it is weighed, and says what it demands."""

from pathlib import Path

from gatehold.config import load
from gatehold.console.rules import ORDER, rows

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec: {packs: [kubernetes-discovery]}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec: {family: http, hosts: ["crm.corp.example:443"]}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: crm}
rules:
  - name: door
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [crm], methods: [POST], paths: ["/**"]}
    approval: {groups: [sre], count: 2, grant: 15m, scope: rule}
    limit: {rate: 5/minute}
    dlp: {profiles: [pii]}
    when: http.path != '/x'
  - {name: gate, effect: constrain, http: {targets: [crm], methods: ["*"], paths: ["/**"]}, mask: {profiles: [pii]}, session: {max: 8h, idle: 30m}}
  - {name: wall, effect: deny, mode: shadow, http: {targets: [crm], methods: ["*"], paths: ["/never"]}, reason: No.}
"""


def test_rules(tmp_path: Path) -> None:
    """Walls, turnstiles, doors."""
    (tmp_path / "gateway.yaml").write_text(CONFIGURATION)
    configuration = load(tmp_path)
    found = rows(configuration.engine.rules.values(), configuration.rule_places, {"door": 3}, str(tmp_path))
    assert sorted(row.name for row in found) == sorted(configuration.engine.rules)
    assert [ORDER.index(row.effect) for row in found] == sorted(ORDER.index(row.effect) for row in found)
    wall, gate, *doors = found
    assert (wall.name, wall.is_shadow, wall.reason, wall.place) == ("wall", True, "No.", "gateway.yaml:25")
    assert gate.demands == ("mask pii", "session at most 8h, idle 30m")
    [door] = [row for row in doors if row.name == "door"]
    assert door.demands == (
        "approval by 2 people of sre, grant of 15m", "rate 5/minute per agent", "search requests for pii: block",
    )  # fmt: skip
    assert door.selects == (
        ("groups", "planners"), ("targets", "crm"), ("methods", "POST"), ("paths", "/**"), ("when", "http.path != '/x'"),
    )  # fmt: skip
    assert (door.decided, door.place) == (3, "gateway.yaml:16")
    assert {row.place for row in doors} == {"gateway.yaml:16", "gateway.yaml:5"}
    assert "paths /**" in door.text
