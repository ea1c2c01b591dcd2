"""Law: whatever protected and is gone is named, wherever it stood; what only moved or was added is not."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.reloading.removals import removals
from policy.errors import ConfigurationError
from tests.gatehold.reloading.files import GATEWAY, TESTS, WALLS, write

WALL = '  - {name: wall, effect: deny, http: {targets: [crm], paths: ["/orders"]}}\n'


@pytest.mark.parametrize(
    ("gateway", "walls", "gone"),
    [
        (GATEWAY, WALLS.replace(WALL, ""), "the rule wall (deny) is gone"),
        (GATEWAY, WALLS.replace("effect: deny, http: {targets: [crm], paths", "effect: deny, mode: shadow, http: {targets: [crm], paths"), "the rule wall was deny and is in shadow"),
        (GATEWAY, WALLS.replace("name: wall, effect: deny", "name: wall, effect: constrain, limit: {rate: 1/hour}"), "the rule wall was deny and is constrain"),
        (GATEWAY, WALLS.replace(", approval: {groups: [sre]}", ", limit: {rate: 1/hour}"), "the rule asks has no approval any more"),
        (GATEWAY, WALLS.replace(", mask: {profiles: [pii]}", ""), "the rule door has no mask by pii any more"),
        (GATEWAY, WALLS.replace(", dlp: {profiles: [pii]}", ""), "the rule door has no dlp by pii any more"),
        (GATEWAY.replace("profiles: [pii, names]", "profiles: [pii]"), WALLS, "the target crm has no mask by names any more"),
        (GATEWAY.replace(", dlp: {profiles: [secrets]}", ""), WALLS, "the target crm has no dlp by secrets any more"),
        (GATEWAY.replace(", {match: phone, entity: PHONE}", ""), WALLS, "the mask profile names hides no values under names like 'phone' any more"),
        (GATEWAY.replace("{EMAIL_ADDRESS: {}}", "{PHONE_NUMBER: {}}"), WALLS, "the mask profile names hides no EMAIL_ADDRESS any more"),
    ],
)  # fmt: skip
def test_what_is_gone_is_named(tmp_path: Path, gateway: str, walls: str, gone: str) -> None:
    """One at a time."""
    before = load(write(tmp_path))
    assert removals(before, load(write(tmp_path, gateway=gateway, walls=walls))) == (gone,)


def test_a_lost_file_is_named_with_what_was_in_it(tmp_path: Path) -> None:
    """Tests as well: they are walls of another kind."""
    before = load(write(tmp_path))
    assert removals(before, load(write(tmp_path, walls="", tests=""))) == (
        "the file tests.yaml is gone, and with it PolicyTest tests",
        "the file walls.yaml is gone, and with it Policy walls",
        "the rule asks (constrain) is gone",
        "the rule wall (deny) is gone",
    )


def test_what_moves_is_there(tmp_path: Path) -> None:
    """To another file, or another policy; doors may go, and shadows; new and stricter ones are no loss."""
    before = load(write(tmp_path))
    (tmp_path / "walls.yaml").rename(tmp_path / "other.yaml")
    assert not removals(before, load(tmp_path))
    stricter = WALLS.replace("name: asks, effect: constrain", "name: asks, effect: deny").replace(
        ", approval: {groups: [sre]}", ""
    )
    fewer = "\n".join(line for line in stricter.splitlines() if "door" not in line and "tried" not in line)
    assert not removals(
        before, load(write(tmp_path, walls=fewer) if not (tmp_path / "other.yaml").unlink() else tmp_path)
    )


LONG = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: walls}
rules:
  - name: turn
    effect: constrain
    http: {targets: [crm]}
    limit:
      rate: 5/hour
      calls: 90/day
    approval:
      groups: [[sre], [boss]]
      count: 2
      unshowable: refuse
    mask: {profiles: [pii, names]}
    dlp: {profiles: [pii]}
    session: {max: 8h, idle: 1h}
  - name: door
    effect: allow
    http:
      targets: [crm]
      methods: [GET]
      paths: ["/**"]
    agents:
      groups: [planners]
      claims: {team: blue, site: north}
    notBefore: 2026-01-01T00:00:00Z
    when: http.query["x"] == ["1"]
    notAfter: 2099-01-01T00:00:00Z
    windows: [{days: [mon], timezone: Europe/Berlin}]
    approval: {groups: [sre]}
  - name: wall
    effect: deny
    http:
      paths:
        - /orders/{id}
        - /admin/**
      methods:
        - DELETE
        - PUT
      targets:
        - crm
        - hr
"""
HR = """
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: hr}
spec: {family: http, hosts: ["hr.corp.example:443"]}
"""


def told(directory: Path, old: str, new: str, *, long: str = LONG, gateway: str = GATEWAY + HR) -> tuple[str, ...]:
    """What is said where one of the texts has other words in it."""
    assert (old in long) != (old in gateway), old
    before = load(write(directory, gateway=gateway, walls=long))
    return removals(before, load(write(directory, gateway=gateway.replace(old, new), walls=long.replace(old, new))))


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ('    when: http.query["x"] == ["1"]\n', "", "the rule door has no when any more"),
        ("    notAfter: 2099-01-01T00:00:00Z\n", "", "the rule door has no notAfter any more"),
        ("    windows: [{days: [mon], timezone: Europe/Berlin}]\n", "", "the rule door has no windows any more"),
        ("      groups: [planners]\n", "", "the rule door has no groups any more"),
        (", site: north", "", "the rule door has no claims.site any more"),
        ("      methods: [GET]\n", "", "the rule door has no methods any more"),
        ("        - hr\n", "", "the rule wall is about fewer calls: not about targets hr"),
        ("        - /admin/**\n", "        - /admin/x\n", "the rule wall is about fewer calls: not about paths /admin/**"),
        ("        - PUT\n", "", "the rule wall is about fewer calls: not about methods PUT"),
        ("    effect: deny\n", '    effect: deny\n    when: "false"\n', "the rule wall is about fewer calls: it has when now"),
        ("    effect: deny\n", "    effect: deny\n    agents: {subjects: [x]}\n", "the rule wall is about fewer calls: it has subjects now"),
        ("    effect: constrain\n", "    effect: constrain\n    notAfter: 2020-01-01T00:00:00Z\n", "the rule turn is about fewer calls: it has notAfter now"),
        ("      calls: 90/day\n", "", "the rule turn has no limit of calls any more"),
        (", idle: 1h", "", "the rule turn has no session idle any more"),
        ("count: 2", "count: 1", "the rule turn is approved by 1, and was by 2"),
        ("[[sre], [boss]]", "[[boss]]", "the rule turn is approved by boss, and was by boss and sre"),
        ("      unshowable: refuse\n", "", "the rule turn has no unshowable: refuse any more"),
        ("[pii, names]}\n    dlp", "[pii, names], onUnmaskable: pass}\n    dlp", "the rule turn has no onUnmaskable: block any more"),
        ("dlp: {profiles: [pii]}", "dlp: {profiles: [pii], action: mask}", "the rule turn has no dlp action: block any more"),
        ("dlp: {profiles: [secrets]}", "dlp: {profiles: [secrets], action: mask}", "the target crm has no dlp action: block any more"),
        ("{EMAIL_ADDRESS: {}}\n", "{EMAIL_ADDRESS: {}}\n  threshold: 0.9\n", "the mask profile names finds less EMAIL_ADDRESS: threshold 0.9, not 0.5"),
    ],
)  # fmt: skip
def test_what_stays_and_does_less_is_named(tmp_path: Path, old: str, new: str, gone: str) -> None:
    """A rule under its name, a target, a profile: each has what it had, or that is said."""
    assert told(tmp_path, old, new) == (gone,)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        - /orders/{id}\n", "        - /orders/**\n"),
        ("        - /orders/{id}\n", "        - /orders/{number}\n"),
        ("        - DELETE\n", '        - "*"\n'),
        ("        - crm\n        - hr\n", '        - "*"\n'),
        ("90/day", "900/day"),
        ("[[sre], [boss]]", "[[sre], [chief]]"),
        ('["1"]', '["2"]'),
        ("    effect: allow\n", "    effect: allow\n    limit: {rate: 1/day}\n"),
    ],
)
def test_what_is_only_another_value_is_not_named(tmp_path: Path, old: str, new: str) -> None:
    """Nor what is about more: somebody wrote that."""
    assert not told(tmp_path, old, new)


def test_a_file_cut_short_is_invalid_or_named(tmp_path: Path) -> None:
    """Wherever it is cut, every rule in it does what it did or that is said; a door that is gone opens nothing."""
    before = load(write(tmp_path, gateway=GATEWAY + HR, walls=LONG))
    lines = LONG.splitlines(keepends=True)
    said = set[str]()
    for end in range(1, len(lines)):
        try:
            now = load(write(tmp_path, gateway=GATEWAY + HR, walls="".join(lines[:end])))
        except ConfigurationError:
            continue
        named = removals(before, now)
        others = {name for name, rule in now.engine.rules.items() if rule.hash != before.engine.rules[name].hash}
        others -= {"wall"}  # without methods or targets it stops more
        assert all(any(f"the rule {name} " in each for each in named) for name in others), lines[end]
        assert any("the rule wall (deny) is gone" in each for each in named) == ("wall" not in now.engine.rules)
        said |= set(named)
    assert len(said) > 15
    assert {
        "the rule wall is about fewer calls: not about paths /admin/**",
        "the rule door has no approval any more",
    } <= said


def test_a_host_under_another_name_keeps_what_protected_it(tmp_path: Path) -> None:
    """A target that is renamed takes its mask along, and the walls about it; that it is gone would open nothing."""
    written = load(write(tmp_path, gateway=GATEWAY + HR))
    moved = GATEWAY.replace("name: crm", "name: sales").replace("mask: {profiles: [pii, names]}, ", "")
    walls = WALLS.replace("[crm], paths", "[hr], paths").replace("[crm]", "[sales]")
    tests = TESTS.replace("target: crm", "target: hr")
    told = removals(written, load(write(tmp_path, gateway=moved + HR, walls=walls, tests=tests)))
    where = "crm.corp.example:443 was of the target crm, and is of sales, which"
    assert told == (
        f"{where} has no mask by names",
        f"{where} has no mask by pii",
        f"{where} the rule wall (deny) is not about",
    )
    written = load(write(tmp_path, gateway=GATEWAY + HR))
    kept = GATEWAY.replace("name: crm", "name: sales")
    assert not removals(
        written, load(write(tmp_path, gateway=kept + HR, walls=WALLS.replace("[crm]", "[sales]"), tests=tests))
    )


@pytest.mark.parametrize(
    ("had", "gone"),
    [
        ("caseInsensitivePaths: true", "caseInsensitivePaths"),
        ("suffixes: [.json]", "suffix .json"),
        ("family: kubernetes, impersonate: true", "impersonate"),
    ],
)
def test_how_a_target_is_understood_is_kept(tmp_path: Path, had: str, gone: str) -> None:
    """Else a wall is not about what the target takes for the same; and whose rights count."""
    other = HR.replace("name: hr", "name: other").replace("hr.corp", "other.corp")
    new = had.split(", ", maxsplit=1)[0] if "family" in had else "family: http"
    old = other.replace("family: http", had if "family" in had else f"family: http, {had}")
    before = load(write(tmp_path, gateway=GATEWAY + old))
    now = load(write(tmp_path, gateway=GATEWAY + other.replace("family: http", new)))
    assert removals(before, now) == (f"the target other has no {gone} any more",)


def test_tests_that_are_gone_are_named(tmp_path: Path) -> None:
    """Though their file stays; one that stands in another document is there."""
    more = TESTS.replace("name: tests", "name: more").replace("/orders}", "/orders/7}").replace("nobody", "none")
    before = load(write(tmp_path, tests=f"{TESTS}---{more}"))
    gone = "the policy test more has no case 'none reads orders' any more"
    assert removals(before, load(write(tmp_path, tests=TESTS))) == (gone,)
    both = TESTS + "\n".join(more.splitlines()[5:]) + "\n"
    assert not removals(before, load(write(tmp_path, tests=both)))
