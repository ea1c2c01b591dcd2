"""Ready-made packs: each one passes its own tests, alone and narrowed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from policy import packs
from policy.engine import Engine, PolicyError
from policy.model import Family, TargetName, TargetTraits
from policy.packs import PackError
from policy.rules.schema import PackUse, PolicyTestDocument
from policy.testing import Report, run

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CLUSTERS = {name: TargetTraits(name=TargetName(name), family=Family.KUBERNETES) for name in ("cluster", "other")}


def results(use: Any, tests: PolicyTestDocument) -> Report:
    pack = PackUse.model_validate(use)
    engine = Engine.compile([packs.load(pack), *packs.doors(pack.name)], CLUSTERS)
    return run(engine, [tests], now=NOW)


def verdict(use: Any, path: str, target: str = "cluster", groups: Any = ()) -> str:
    case = {
        "name": "c",
        "agent": {"groups": list(groups)},
        "request": {"target": target, "path": path},
        "expect": {"verdict": "allow"},
    }
    head = {"apiVersion": "gatehold.dev/v1", "kind": "PolicyTest", "metadata": {"name": "t"}}
    (result,) = results(use, PolicyTestDocument.model_validate({**head, "cases": [case]})).results
    return str(result.got["verdict"])


@pytest.mark.parametrize("name", packs.names())
def test_a_pack_passes_its_tests(name: str) -> None:
    """Every case comes out, and every rule of the pack is tried."""
    report = results(name, packs.tests(name))
    assert [result for result in report.results if not result.passed] == []
    assert report.covered == 1.0


@pytest.mark.parametrize("name", packs.names())
def test_rules_are_named_after_the_pack(name: str) -> None:
    """So that rules of packs and of people never have one name."""
    document = packs.load(PackUse.model_validate(name))
    assert document.metadata.name == name
    assert all(rule.name.startswith(f"{name}/") for rule in document.rules)


def test_narrowed() -> None:
    """Agents, targets and namespaces of the use are those of every rule that has any."""
    use = {"use": "kubernetes-read-only", "agents": {"groups": ["g"]}, "targets": ["cluster"], "namespaces": ["dev-*"]}
    pods = "/api/v1/namespaces/{}/pods"
    assert verdict(use, pods.format("dev-1"), groups=["g"]) == "allow"
    assert verdict(use, pods.format("dev-1")) == "deny"
    assert verdict(use, pods.format("dev-1"), target="other", groups=["g"]) == "deny"
    assert verdict(use, pods.format("prod"), groups=["g"]) == "deny"
    assert verdict(use, "/api/v1/pods", groups=["g"]) == "deny"
    assert verdict(use, "/api/v1/namespaces/dev-1", groups=["g"]) == "allow"


def test_discovery_for_some() -> None:
    """Discovery is not about namespaces, but may be narrowed to agents."""
    use: dict[str, Any] = {"use": "kubernetes-discovery", "agents": {"groups": ["g"]}}
    assert verdict(use, "/api", groups=["g"]) == "allow"
    assert verdict(use, "/api") == "deny"
    with pytest.raises(PackError, match="namespaces"):
        packs.load(PackUse.model_validate({**use, "namespaces": ["dev"]}))


def test_used_twice() -> None:
    """A second use needs a name of its own."""
    first, second = ({"use": "kubernetes-discovery"}, {"use": "kubernetes-discovery", "as": "more"})
    load = [packs.load(PackUse.model_validate(use)) for use in (first, second)]
    assert len(Engine.compile(load, CLUSTERS).rules) == 2 * len(load[0].rules)
    with pytest.raises(PolicyError):
        Engine.compile([load[0], load[0]], CLUSTERS)


def test_no_such_pack() -> None:
    """An unknown name is answered with those that there are; a path is no name."""
    with pytest.raises(PackError, match="kubernetes-discovery"):
        packs.load(PackUse.model_validate("kubernetes-discovry"))
    with pytest.raises((PackError, ValidationError)):
        packs.tests("../kubernetes-discovery")
