"""Law: a profile's places get values of that profile's own reversible entities, at the endpoint that it names."""

from typing import Any

import pytest

from gatehold.restoring import RestoreRules, entities_at, entities_of
from masking.profiles import MaskProfileSpec, resolve
from policy.actions.http import decode_http
from policy.model import Family, PathOptions, TargetName, TargetTraits, WireRequest

HIDDEN = {"operator": "pseudonym", "reversible": True}
DOCUMENTS: dict[str, Any] = {
    "mails": {
        "entities": {"EMAIL_ADDRESS": HIDDEN, "US_SSN": {}},
        "restore": [{"target": "crm", "methods": ["POST"], "path": "/a/{id}", "body": ["$.to"], "query": ["q"]}],
    },
    "names": {
        "paths": [{"path": "$.name", "entity": "PERSON"} | HIDDEN],
        "restore": [{"target": "crm", "methods": ["POST", "PUT"], "path": "/a/**", "body": ["$.to", "$.name"]}],
    },
}
RULES = RestoreRules(resolve({name: MaskProfileSpec.model_validate(spec) for name, spec in DOCUMENTS.items()}).values())


def rules_for(method: str, path: str, *, target: str = "crm", options: PathOptions | None = None) -> int:
    traits = TargetTraits(name=TargetName("crm"), family=Family.HTTP, paths=options or PathOptions())
    action = decode_http(traits, WireRequest(method=method, path=path, headers=(), body=b""))
    return len(RULES.of(target, action, traits.paths))


@pytest.mark.parametrize(
    ("method", "path", "number"),
    [
        ("POST", "/a/1", 2),
        ("POST", "/a/%31?q=1", 2),
        ("PUT", "/a/1", 1),
        ("POST", "/a/1/b", 1),
        ("POST", "/a", 1),
        ("GET", "/a/1", 0),
        ("POST", "/A/1", 0),
        ("POST", "/b", 0),
    ],
)
def test_an_endpoint_is_a_method_and_a_path(method: str, path: str, number: int) -> None:
    """As the policy reads paths."""
    assert rules_for(method, path) == number
    assert rules_for(method, path, target="other") == 0


def test_paths_are_read_as_the_target_reads_them() -> None:
    """A target that does not mind case has one path in many spellings."""
    assert rules_for("POST", "/A/1", options=PathOptions(case_insensitive=True)) == 2


def test_each_place_gets_what_its_profile_makes_reversible() -> None:
    """And both where two profiles name it."""
    traits = TargetTraits(name=TargetName("crm"), family=Family.HTTP)
    action = decode_http(traits, WireRequest(method="POST", path="/a/1", headers=(), body=b""))
    rules = RULES.of("crm", action, traits.paths)
    assert entities_at(rules, ["to"]) == {"EMAIL_ADDRESS", "PERSON"}
    assert entities_at(rules, ["name"]) == {"PERSON"}
    assert entities_at(rules, ["to", 0]) == frozenset()
    assert entities_of(rules, "q") == {"EMAIL_ADDRESS"}
    assert entities_of(rules, "to") == frozenset()


def test_nothing_is_put_back_by_default() -> None:
    """No built-in profile says otherwise."""
    assert not RestoreRules(resolve({}).values())
    assert RULES
