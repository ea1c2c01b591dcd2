"""Law: whatever a look at the cluster may come to demand of a request is demanded before the look."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.engine import Engine, PolicyError
from policy.explain import obligations_to_json
from policy.model import Agent, DlpObligation, Family, TargetName, TargetTraits, WireRequest
from policy.rules.schema import PolicyDocument

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
AGENT = Agent(issuer="corp", subject="a")
API, MAIN = TargetName("api"), TargetName("main")
TARGETS = {
    "api": TargetTraits(name=API, family=Family.HTTP, dlp=DlpObligation(profiles=("pii",), action="mask")),
    "main": TargetTraits(name=MAIN, family=Family.KUBERNETES),
}
LABELLED = {"resources": ["deployments"], "verbs": ["patch"], "labels": {"tier": "gold"}}
RULES: list[dict[str, Any]] = [
    {
        "name": "door",
        "effect": "allow",
        "http": {"paths": ["/a/**"]},
        "dlp": {"profiles": ["secrets"], "action": "mask"},
    },
    {"name": "gate", "effect": "constrain", "http": {"paths": ["/a/b"]}, "dlp": {"profiles": ["pci"]}},
    {"name": "shadow", "effect": "constrain", "mode": "shadow", "http": {}, "dlp": {"profiles": ["kubernetes"]}},
    {"name": "gold", "effect": "allow", "kubernetes": LABELLED, "dlp": {"profiles": ["kubernetes"], "action": "mask"}},
]


def engine(*rules: dict[str, Any], **options: Any) -> Engine:
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    return Engine.compile([PolicyDocument.model_validate({**head, "rules": rules or RULES})], TARGETS, **options)


def asked(
    target: TargetName, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> DlpObligation | None:
    """The search of a request, before it is decided; that of the decision never goes beyond it."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    action = decode(TARGETS[target], WireRequest(method=method, path=path, headers=fields, body=body))
    found, decision = engine().dlp(AGENT, target, action, now=NOW), engine().decide(AGENT, target, action, now=NOW)
    if decision.obligations.dlp is not None:
        assert found == decision.obligations.dlp
        assert obligations_to_json(decision.obligations)["dlp"] == {
            "profiles": list(found.profiles), "action": found.action,
        }  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("path", "profiles", "action"), [("/a/x", ("pii", "secrets"), "mask"), ("/a/b", ("pci", "pii", "secrets"), "block")]
)
def test_what_matches_is_joined_with_the_targets_own(path: str, profiles: tuple[str, ...], action: str) -> None:
    """Rules in shadow are no part of it."""
    assert asked(API, path) == DlpObligation(profiles=profiles, action=action)  # type: ignore[arg-type]


def test_a_call_that_is_denied_is_not_searched() -> None:
    """There is nothing to protect."""
    assert asked(API, "/elsewhere") is None


def test_a_door_that_a_look_may_open_counts() -> None:
    """The labels of the object are not known yet."""
    path = "/apis/apps/v1/namespaces/prod/deployments/web"
    found = asked(MAIN, path, "PATCH", b'{"spec": {"replicas": 1}}', content_type="application/merge-patch+json")
    assert found == DlpObligation(profiles=("kubernetes",), action="mask")


def test_profiles_by_target() -> None:
    """Those by which it may be searched, and those that records follow."""
    assert engine().dlp_profiles(API) == ("kubernetes", "pci", "pii", "secrets")
    assert engine().dlp_profiles(MAIN) == ("kubernetes",)
    assert engine().record_profiles(MAIN) == ("kubernetes",)
    assert engine().mask_profiles(MAIN) == ()


def test_an_unknown_profile() -> None:
    """Told with its place."""
    with pytest.raises(PolicyError) as caught:
        engine(
            {"name": "r", "effect": "allow", "http": {}, "dlp": {"profiles": ["secret"]}}, known_profiles={"secrets"}
        )
    (problem,) = caught.value.problems
    assert problem.path == ("rules", 0, "dlp", "profiles", 0)
    assert "did you mean secrets?" in problem.message


@pytest.mark.parametrize(
    "dlp", [{}, {"profiles": []}, {"profiles": ["pii"], "action": "drop"}, {"profiles": ["pii"], "x": 1}]
)
def test_what_is_not_of_its_shape(dlp: dict[str, Any]) -> None:
    """Is refused when the document is read."""
    with pytest.raises(ValueError, match="dlp"):
        engine({"name": "r", "effect": "allow", "http": {}, "dlp": dlp})


def test_a_wall_cannot_search() -> None:
    """It refuses always."""
    with pytest.raises(ValueError, match="a deny refuses always"):
        engine({"name": "r", "effect": "deny", "http": {}, "dlp": {"profiles": ["pii"]}})


def test_sets_of_profiles_that_may_apply_together() -> None:
    """What a mask has to be prepared for: every rule's, with the target's own, and all of them."""
    sets = engine().profile_sets(API)
    assert engine().dlp_profiles(API) in sets
    assert engine().profile_sets(MAIN) == {("kubernetes",)}
    assert all(each and list(each) == sorted(set(each)) for each in sets)
