"""Law: people are shown the effect of real writes of objects, and told where it is not known."""

import pytest

from addons.effects import effect_of, shows_effect
from addons.runtime import Runtime
from gatehold.lookups.ladder import Found
from policy.actions.knowledge import KnownObjects
from tests.gatehold.lookups.conftest import DEPLOYMENT, make_action

MERGE = "application/merge-patch+json"
PATCH = make_action("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, MERGE)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("PATCH", DEPLOYMENT, True),
        ("DELETE", DEPLOYMENT, True),
        ("POST", "/api/v1/namespaces/prod/pods/web/eviction", True),
        ("GET", DEPLOYMENT, False),
        ("PATCH", f"{DEPLOYMENT}?dryRun=All", False),
        ("POST", "/api/v1/namespaces/prod/pods/web/exec", False),
        ("POST", "/version", False),
    ],
)
def test_only_real_writes_have_an_effect(method: str, path: str, expected: bool) -> None:
    """Reads, tries and tunnels have none that could be shown."""
    assert (
        shows_effect(make_action(method, path, {}, MERGE) if method == "PATCH" else make_action(method, path))
        is expected
    )


async def test_a_secrets_values_are_hidden(runtime: Runtime) -> None:
    """In the change, not in what the yes is bound to."""
    target = runtime.gateway.registry.named("main")

    def secret(value: str) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"password": value}}

    found = Found(known=KnownObjects(old=secret("b2xkLXZhbHVl"), new=secret("bmV3LXZhbHVl")))
    effect = effect_of(PATCH, found, runtime.gateway.ruling.scrubber, target)
    assert effect.change.diff == "! data.password: a value that is hidden here changes"
    other = Found(known=KnownObjects(old=secret("b2xkLXZhbHVl"), new=secret("b3RoZXItdmFsdWU=")))
    assert effect_of(PATCH, other, runtime.gateway.ruling.scrubber, target).digest != effect.digest


async def test_what_is_not_known_is_said(runtime: Runtime) -> None:
    """With the last reason there is; the answer is then bound to the request alone."""
    effect = effect_of(PATCH, Found(problems=("one", "two")), runtime.gateway.ruling.scrubber, None)
    assert (effect.change.problem, effect.change.diff, effect.digest) == ("two", "", "")


@pytest.mark.parametrize(
    ("path", "told"), [("/apis/shop.example/v1/namespaces/prod/carts/x", True), (DEPLOYMENT, False)]
)
async def test_a_status_that_is_written_with_the_object_is_shown(runtime: Runtime, path: str, told: bool) -> None:
    """A custom resource may have no other way to write it; kinds that come with Kubernetes never take it that way."""
    before, after = ({"kind": "X", "metadata": {"name": "x"}, "status": {"paid": paid}} for paid in (False, True))
    found = Found(known=KnownObjects(old=before, new=after))
    patch = make_action("PATCH", path, {"status": {"paid": True}}, MERGE)
    effect = effect_of(patch, found, runtime.gateway.ruling.scrubber, runtime.gateway.registry.named("main"))
    assert ("+  paid: true" in effect.change.diff) is told
    unchanged = Found(known=KnownObjects(old=before, new=before))
    assert (effect_of(patch, unchanged, runtime.gateway.ruling.scrubber, None).digest != effect.digest) is told
