"""Law: two policies that say the same differ nowhere; where they differ it is found among what their rules name."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy.history import cells
from policy.history.cells import TooManyCells, diff
from policy.rules.schema import METHODS
from tests.policy.history.recorded import answered, call, engine

HTTP = "- {name: NAME, effect: EFFECT, agents: {groups: [GROUP]}, http: {targets: [crm], methods: [METHOD], paths: [PATH]}}\n"
PODS = """
- name: pods
  effect: allow
  agents: {groups: [planners]}
  kubernetes: {targets: [main], namespaces: [dev], apiGroups: [""], resources: [pods], verbs: [get, list]}
"""


def told(one: str, other: str, target: str = "*") -> set[tuple[str, ...]]:
    return {
        (
            "/".join(each.cell.agent.groups),
            each.cell.verb,
            each.cell.what,
            each.cell.namespace or "",
            each.before,
            each.after,
        )
        for each in diff(engine(one), engine(other), target=target)
    }


def test_another_way_to_say_the_same() -> None:
    """Names, order and the cut into rules mean nothing."""
    split = PODS.replace("pods\n", "a\n", 1).replace("[get, list]", "[get]") + PODS.replace("pods\n", "b\n", 1).replace(
        "[get, list]", "[list]"
    )
    assert not told(PODS, split)


def test_a_wider_namespace() -> None:
    """Every verb in every namespace that either names, for whom it changes."""
    found = told(PODS, PODS.replace("[dev]", '["*"]'))
    assert ("planners", "list", "pods", "", "deny", "allow") in found
    assert ("planners", "get", "pods", "x", "deny", "allow") in found
    assert {each[0] for each in found} == {"planners"}
    assert not any(each[3] == "dev" for each in found)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("when: k8s.labelSelector == 'a'", "allow if k8s.labelSelector == 'a'"),
        ("approval: {groups: [sre], grant: 5m, scope: rule}", "allow approved by 1 of sre rule for 5m"),
        ("limit: {rate: 5/minute}", "allow rate 5/minute per agent"),
        ("mask: {profiles: [pii]}", "allow mask pii (block)"),
        ('notBefore: "2026-01-01T00:00:00Z"', "allow if not before 2026-01-01T00:00:00+00:00"),
        ("windows: [{days: [mon], timezone: UTC}]", "allow if days [0] 0-1440 UTC"),
    ],
)
def test_demands_and_conditions(more: str, wanted: str) -> None:
    """They are part of the answer."""
    assert {each[-1] for each in told(PODS, f"{PODS}  {more}\n")} == {wanted}


def test_walls_and_gates() -> None:
    """A wall closes what doors open; a turnstile adds its demand."""
    wall = PODS + '- {name: w, effect: deny, kubernetes: {targets: [main], resources: ["*"]}}\n'
    assert {each[-1] for each in told(PODS, wall)} == {"deny"}
    gate = PODS + "- {name: g, effect: constrain, kubernetes: {targets: [main]}, mask: {profiles: [pii]}}\n"
    assert {each[-1] for each in told(PODS, gate)} == {"allow; always mask pii (block)"}


def test_targets() -> None:
    """One that only one of them has; those that are not asked about are left out."""
    assert not told(PODS, PODS.replace("[dev]", "[qa]"), target="crm")
    assert told(PODS, PODS.replace("[dev]", "[qa]"), target="m*")


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded, and said."""
    monkeypatch.setattr(cells, "MAX_CELLS", 3)
    with pytest.raises(TooManyCells, match="narrow it"):
        told(PODS, PODS)


POLICIES = st.lists(
    st.tuples(
        st.sampled_from(["allow", "allow", "deny"]),
        st.sampled_from(["planners", "others"]),
        st.sampled_from(["GET", "POST"]),
        st.sampled_from(['"/a"', '"/a/{id}"', '"/a/**"', '"/b"']),
    ),
    min_size=1,
    max_size=4,
)


def _policy(drawn: list[tuple[str, str, str, str]]) -> str:
    parts = []
    for number, (effect, group, method, path) in enumerate(drawn):
        text = HTTP.replace("NAME", f"r{number}").replace("EFFECT", effect).replace("GROUP", group)
        parts.append(text.replace("METHOD", method).replace("PATH", path))
    return "".join(parts)


@settings(deadline=None)
@given(POLICIES, POLICIES)
@example(
    [("allow", "planners", "GET", '"/a"')],
    [("allow", "planners", "GET", '"/a/**"'), ("deny", "planners", "GET", '"/a/{id}"')],
)
def test_no_difference_means_none(one: list[tuple[str, str, str, str]], other: list[tuple[str, str, str, str]]) -> None:
    """Where nothing differs, no call is answered differently; where something does, one is."""
    first, second = engine(_policy(one)), engine(_policy(other))
    found = list(diff(first, second, target="crm"))
    differing = [
        (method, path)
        for method in METHODS
        for path in ("/a", "/a/1", "/a/1/2", "/b", "/c")
        if answered(first, call(path, method=method)) != answered(second, call(path, method=method))
    ]
    planners = [each for each in found if "planners" in each.cell.agent.groups]
    assert bool(differing) is bool(planners)
