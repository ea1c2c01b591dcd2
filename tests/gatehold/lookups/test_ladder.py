"""Law: as few own calls as the question needs, each under the agent's identity, each told; and no guess among them."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gatehold.credentials.broker import CredentialBroker
from gatehold.lookups.client import OwnCalls
from gatehold.lookups.ladder import Errand, Found, Ladder
from gatehold.lookups.requests import OwnCall
from policy.actions.kubernetes import KubernetesAction
from policy.model import UNKNOWN, Agent, SessionId, Wanted
from tests.gatehold.lookups.cluster import Answer, ScriptedCluster, serving
from tests.gatehold.lookups.conftest import DEPLOYMENT, make_action

AGENT = Agent(issuer="corp", subject="a1", session=SessionId("s1"))
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
BOTH = frozenset({Wanted.OLD, Wanted.NEW})
WIDGET = "/apis/example.com/v1/namespaces/prod/widgets/w"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com"


def deployment(replicas: int = 3, version: str = "7") -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "resourceVersion": version},
        "spec": {"replicas": replicas},
    }


class Climber:
    """Climbs for one cluster, and keeps what it was told."""

    def __init__(self, cluster: ScriptedCluster) -> None:
        self.cluster = cluster
        self.calls = OwnCalls(cast("CredentialBroker", cluster), frozenset(), max_answer=100_000)
        self.ladder = Ladder(self.calls)
        self.told: list[OwnCall] = []

    def errand(self, action: KubernetesAction, body: Any, **target: Any) -> Errand:
        async def tell(call: OwnCall) -> None:
            self.told.append(call)

        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return Errand(
            place=self.cluster.place(**target),
            agent=AGENT,
            action=action,
            content_type=action.content_type,
            body=raw,
            tell=tell,
        )

    async def climb(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = "application/json",
        *,
        wanted: frozenset[Wanted] = BOTH,
    ) -> Found:
        return await self.ladder.climb(self.errand(make_action(method, path, body, kind), body), wanted)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ScriptedCluster]:
    with serving(tmp_path) as state:
        state.answers[f"GET {DEPLOYMENT}"] = Answer(200, deployment())
        yield state


@pytest.fixture
async def climber(cluster: ScriptedCluster) -> AsyncIterator[Climber]:
    made = Climber(cluster)
    yield made
    await made.calls.close()


async def test_the_object_now_and_as_it_will_be(climber: Climber, cluster: ScriptedCluster) -> None:
    """One GET, then the request itself with ``dryRun=All``, bound to the version that was read."""
    cluster.answers[f"PATCH {DEPLOYMENT}?fieldManager=x&dryRun=All"] = Answer(200, deployment(20))
    found = await climber.climb("PATCH", f"{DEPLOYMENT}?fieldManager=x", {"spec": {"replicas": 20}}, MERGE)
    assert (found.known.old, found.known.new) == (deployment(), deployment(20))
    assert (found.version, found.stale, found.problems) == ("7", False, ())
    read, tried = cluster.asked
    assert (read.method, read.path) == ("GET", DEPLOYMENT)
    assert json.loads(tried.body) == {"spec": {"replicas": 20}, "metadata": {"resourceVersion": "7"}}
    assert tried.headers["content-type"] == [MERGE]
    assert [(call.request.purpose, call.status) for call in climber.told] == [
        ("current-object", 200),
        ("resulting-object", 200),
    ]


async def test_only_what_is_wanted_is_asked(climber: Climber, cluster: ScriptedCluster) -> None:
    """The old object alone needs no dry run; a create has none before it."""
    await climber.climb("PUT", DEPLOYMENT, deployment(20), wanted=frozenset({Wanted.OLD}))
    assert cluster.lines == [f"GET {DEPLOYMENT}"]
    cluster.asked.clear()
    path = "/apis/apps/v1/namespaces/prod/deployments"
    cluster.answers[f"POST {path}?dryRun=All"] = Answer(201, deployment(1))
    found = await climber.climb("POST", path, deployment())
    assert (found.known.old, found.known.new, found.version) == (None, deployment(1), "")
    assert cluster.lines == [f"POST {path}?dryRun=All"]


async def test_what_was_found_is_not_asked_again(climber: Climber, cluster: ScriptedCluster) -> None:
    """A second look adds to the first."""
    cluster.answers[f"PATCH {DEPLOYMENT}?dryRun=All"] = Answer(200, deployment(20))
    body = {"spec": {"replicas": 20}}
    errand = climber.errand(make_action("PATCH", DEPLOYMENT, body, MERGE), body)
    first = await climber.ladder.climb(errand, {Wanted.OLD})
    await climber.ladder.climb(errand, BOTH, first)
    assert cluster.lines == [f"GET {DEPLOYMENT}", f"PATCH {DEPLOYMENT}?dryRun=All"]


async def test_impersonation_holds_for_every_look_but_one(climber: Climber, cluster: ScriptedCluster) -> None:
    """Which resources are custom ones, the gateway asks for itself."""
    cluster.answers[f"GET {WIDGET}"] = Answer(200, deployment() | {"kind": "Widget"})
    body = {"spec": {}}
    errand = climber.errand(make_action("PATCH", WIDGET, body, MERGE), body, impersonate=True)
    await climber.ladder.climb(errand, BOTH)
    users = {asked.path: asked.headers.get("impersonate-user") for asked in cluster.asked}
    assert users == {WIDGET: ["agent:corp:a1"], DEFINITION: None}


async def test_custom_resources_are_tried_out_once_they_are_known(climber: Climber, cluster: ScriptedCluster) -> None:
    """An aggregated API could execute what is only meant to be tried; a yes is remembered."""
    spec = {"group": "example.com", "names": {"plural": "widgets"}, "versions": [{"name": "v1", "served": True}]}
    cluster.answers[f"GET {WIDGET}"] = Answer(200, deployment() | {"kind": "Widget"})
    cluster.answers[f"PATCH {WIDGET}?dryRun=All"] = Answer(200, {"kind": "Widget", "spec": {}})
    refused = await climber.climb("PATCH", WIDGET, {"a": {"b": 1}}, MERGE)
    assert f"PATCH {WIDGET}?dryRun=All" not in cluster.lines
    assert "not known to be a custom resource" in refused.problems[0]
    cluster.answers[f"GET {DEFINITION}"] = Answer(200, {"kind": "CustomResourceDefinition", "spec": spec})
    for _ in range(2):
        found = await climber.climb("PATCH", WIDGET, {"a": {"b": 1}}, MERGE)
        assert found.known.new == {"kind": "Widget", "spec": {}}
    assert cluster.lines.count(f"GET {DEFINITION}") == 2


@pytest.mark.parametrize(("method", "kind"), [("PUT", "application/json"), ("PATCH", APPLY)])
async def test_what_a_write_would_create_was_not_there(
    climber: Climber, cluster: ScriptedCluster, method: str, kind: str
) -> None:
    """A replacement and server-side apply make what is missing."""
    path = f"{DEPLOYMENT}-new"
    cluster.answers[f"{method} {path}?dryRun=All"] = Answer(201, deployment(20))
    found = await climber.climb(method, path, deployment(20), kind)
    assert (found.known.old, found.known.new, found.version) == (None, deployment(20), "")


@pytest.mark.parametrize(("method", "suffix", "kind"), [("PATCH", "-new", MERGE), ("DELETE", "-new", "application/json"), ("PUT", "-new/scale", "application/json")])  # fmt: skip
async def test_what_is_missing_otherwise_is_not_known(
    climber: Climber, cluster: ScriptedCluster, method: str, suffix: str, kind: str
) -> None:
    """And nothing is tried out."""
    found = await climber.climb(method, DEPLOYMENT + suffix, {"spec": {"replicas": 20}}, kind)
    assert (found.known.old, found.known.new) == (UNKNOWN, UNKNOWN)
    assert found.problems == ("current-object: the cluster answers 404",)
    assert len(cluster.asked) == 1


async def test_a_deletion_leaves_nothing(climber: Climber, cluster: ScriptedCluster) -> None:
    """It need not be tried out."""
    found = await climber.climb("DELETE", DEPLOYMENT)
    assert (found.known.old, found.known.new, cluster.lines) == (deployment(), None, [f"GET {DEPLOYMENT}"])


async def test_a_subresource_has_a_parent(climber: Climber, cluster: ScriptedCluster) -> None:
    """A Scale and its object have one version; two versions are two moments."""
    scale = {"kind": "Scale", "metadata": {"resourceVersion": "7"}, "spec": {"replicas": 3}}
    cluster.answers[f"GET {DEPLOYMENT}/scale"] = Answer(200, scale)
    wanted = frozenset({Wanted.OLD, Wanted.PARENT})
    found = await climber.climb("PUT", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 20}}, wanted=wanted)
    assert (found.known.old, found.known.parent, found.version) == (scale, deployment(), "7")
    cluster.answers[f"GET {DEPLOYMENT}"] = Answer(200, deployment(version="8"))
    found = await climber.climb("PUT", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 20}}, wanted=wanted)
    assert found.known.parent is UNKNOWN
    assert found.problems == ("the object keeps changing while it is looked at",)


async def test_a_change_in_the_middle_is_looked_at_again(climber: Climber, cluster: ScriptedCluster) -> None:
    """A trial that was refused only for the version it was bound to says nothing about the write."""
    versions = iter(["7", "8", "8"])
    cluster.before["GET " + DEPLOYMENT] = lambda: cluster.answers.update(
        {f"GET {DEPLOYMENT}": Answer(200, deployment(version=next(versions)))}
    )

    def tried() -> None:
        bound = json.loads(cluster.asked[-1].body)["metadata"]["resourceVersion"]
        answer = Answer(200, deployment(20, version="8")) if bound == "8" else Answer(409, {"kind": "Status"})
        cluster.answers[f"PATCH {DEPLOYMENT}?dryRun=All"] = answer

    cluster.before[f"PATCH {DEPLOYMENT}?dryRun=All"] = tried
    found = await climber.climb("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, MERGE)
    assert (found.version, found.problems) == ("8", ())
    assert found.known.new == deployment(20, version="8")


async def test_a_stale_request_is_noticed(climber: Climber, cluster: ScriptedCluster) -> None:
    """It insists on another version than there is: the server will refuse it."""
    body = deployment(20, version="6")
    assert (await climber.climb("PUT", DEPLOYMENT, body, wanted=frozenset({Wanted.OLD}))).stale
    body = deployment(20, version="7")
    assert not (await climber.climb("PUT", DEPLOYMENT, body, wanted=frozenset({Wanted.OLD}))).stale


@pytest.mark.parametrize("status", [301, 401, 403, 409, 422, 500])
async def test_a_refused_trial_tells_nothing(climber: Climber, cluster: ScriptedCluster, status: int) -> None:
    """What becomes of the object stays unknown."""
    cluster.answers[f"PATCH {DEPLOYMENT}?dryRun=All"] = Answer(status, {"kind": "Status"})
    found = await climber.climb("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, MERGE)
    assert (found.known.old, found.known.new) == (deployment(), UNKNOWN)
    assert found.problems == (f"resulting-object: the cluster answers {status}",)


async def test_where_admission_cannot_be_tried_the_change_is_computed(
    climber: Climber, cluster: ScriptedCluster
) -> None:
    """400 is the answer where a webhook has side effects; a plain merge has one result."""
    cluster.answers[f"PATCH {DEPLOYMENT}?dryRun=All"] = Answer(400, {"kind": "Status"})
    found = await climber.climb("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, MERGE)
    assert found.known.new not in (UNKNOWN, None)
    assert cast("dict[str, Any]", found.known.new)["spec"] == {"replicas": 20}
    found = await climber.climb("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, APPLY)
    assert found.known.new is UNKNOWN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/apis/apps/v1/namespaces/prod/deployments"),
        ("GET", "/apis/apps/v1/namespaces/prod/deployments"),
        ("POST", "/version"),
    ],
)
async def test_what_is_about_no_object_is_not_looked_at(
    climber: Climber, cluster: ScriptedCluster, method: str, path: str
) -> None:
    """Not one own call."""
    found = await climber.climb(method, path)
    assert found.problems == ("the call is about no single object",)
    assert cluster.asked == []


async def test_a_dry_run_is_not_tried_out(climber: Climber, cluster: ScriptedCluster) -> None:
    """It would be sent twice."""
    await climber.climb("PATCH", f"{DEPLOYMENT}?dryRun=All", {"spec": {"replicas": 20}}, MERGE)
    assert cluster.lines == [f"GET {DEPLOYMENT}"]


async def test_the_version_now(climber: Climber, cluster: ScriptedCluster) -> None:
    """Empty where it cannot be told."""
    action = make_action("PATCH", DEPLOYMENT, {}, MERGE)
    assert await climber.ladder.current_version(climber.errand(action, {})) == "7"
    cluster.answers.clear()
    assert await climber.ladder.current_version(climber.errand(action, {})) == ""
    assert [call.request.purpose for call in climber.told] == ["conflict-check", "conflict-check"]
