"""Law: an own call reaches the target of the call only, under the right identity, and only plain JSON comes of it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

from gatehold.config.values import Secret
from gatehold.credentials.broker import CredentialBroker
from gatehold.credentials.fields import Asker
from gatehold.credentials.injection import Injection, origins
from gatehold.lookups.client import OwnCalls
from gatehold.lookups.requests import OwnCall, OwnRequest, Purpose
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId
from tests.gatehold.lookups.cluster import HOST, Answer, ScriptedCluster, serving

AGENT = Agent(issuer="corp", subject="a1", groups=("planners",), session=SessionId("s1"))
PATH = "/api/v1/namespaces/prod/pods/w%65b?x=%2C"
GET = OwnRequest(purpose=Purpose.CURRENT, method="GET", path=PATH, agent=AGENT)
LIMIT = 1_000


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ScriptedCluster]:
    with serving(tmp_path) as state:
        state.answers[f"GET {PATH}"] = Answer(200, {"kind": "Pod"})
        yield state


@pytest.fixture
async def calls(cluster: ScriptedCluster) -> AsyncIterator[OwnCalls]:
    made = OwnCalls(cast("CredentialBroker", cluster), frozenset({1}), max_answer=LIMIT)
    yield made
    await made.close()


async def make(
    calls: OwnCalls, cluster: ScriptedCluster, request: OwnRequest = GET, **target: Any
) -> tuple[OwnCall, dict[str, Any] | None]:
    return await calls.make(cluster.place(**target), request, asyncio.get_running_loop().time() + 5)


async def test_an_object_is_found(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """By exactly the path that was given, with the target's credential and nobody's impersonation."""
    call, found = await make(calls, cluster)
    assert (call.status, call.problem, found) == (200, "", {"kind": "Pod"})
    (asked,) = cluster.asked
    assert asked.path == PATH
    assert asked.headers["host"] == [HOST]
    assert asked.headers["authorization"] == ["Bearer planted"]
    assert (asked.headers["accept"], asked.headers["accept-encoding"]) == (["application/json"], ["identity"])
    assert not any(name.startswith("impersonate-") for name in asked.headers)


async def test_it_is_the_agents_where_the_target_says_so(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """But never where the call is the gateway's own."""
    await make(calls, cluster, impersonate=True)
    await make(calls, cluster, OwnRequest(purpose=Purpose.DEFINITION, method="GET", path=PATH), impersonate=True)
    theirs, own = cluster.asked
    assert theirs.headers["impersonate-user"] == ["agent:corp:a1"]
    assert theirs.headers["impersonate-group"] == ["agent:planners"]
    assert "impersonate-user" not in own.headers


async def test_a_body_goes_out_as_it_is(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """With its own content type."""
    cluster.answers["PATCH /x?dryRun=All"] = Answer(200, {"kind": "Pod"})
    request = OwnRequest(
        purpose=Purpose.RESULT, method="PATCH", path="/x?dryRun=All", content_type="application/merge-patch+json", body=b'{"a": 1}'
    )  # fmt: skip
    await make(calls, cluster, request)
    assert cluster.asked[0].body == b'{"a": 1}'
    assert cluster.asked[0].headers["content-type"] == ["application/merge-patch+json"]


async def test_connections_are_kept(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """A handshake costs more than a look."""
    await make(calls, cluster)
    await make(calls, cluster)
    assert len({each.peer for each in cluster.asked}) == 1


async def test_a_certificate_has_connections_of_its_own(
    calls: OwnCalls, cluster: ScriptedCluster, tmp_path: Path
) -> None:
    """Whoever comes by an old connection would be who the old certificate says."""
    await make(calls, cluster)
    issued = trustme.CA().issue_cert("client.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    cluster.injection = Injection(bound=cluster.injection.bound, client_certificate=tmp_path / "client.pem")
    await make(calls, cluster)
    assert len({each.peer for each in cluster.asked}) == 2
    assert repr(calls) == "<OwnCalls to 1 targets>"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(404, {"kind": "Status"}), "the cluster answers 404"),
        (Answer(302, {"kind": "Pod"}, headers={"location": "https://evil.example/"}), "the cluster answers 302"),
        (Answer(200, b"kind: Pod", "application/yaml"), "the answer is not plain JSON"),
        (Answer(200, {"kind": "Pod"}, headers={"content-encoding": "gzip"}), "the answer is not plain JSON"),
        (Answer(200, {"kind": "Status"}), "the answer is not an object"),
        (Answer(200, {"kind": "Table"}), "the answer is not an object"),
        (Answer(200, ["Pod"]), "the answer is not an object"),
        (Answer(200, b'{"kind": "Pod", "kind": "Node"}'), "the answer cannot be read: a key occurs twice"),
        (Answer(200, b'{"kind":' + b"[" * 70 + b"]" * 70 + b"}"), "the answer cannot be read: JSON is nested deeper"),
        (Answer(200, {"kind": "Pod", "x": "y" * LIMIT}), f"the answer is larger than {LIMIT} bytes"),
    ],
)
async def test_anything_else_tells_nothing(
    calls: OwnCalls, cluster: ScriptedCluster, answer: Answer, problem: str
) -> None:
    """No redirect is followed; the reason says what came, never what it held."""
    cluster.answers[f"GET {PATH}"] = answer
    call, found = await make(calls, cluster)
    assert found is None
    assert (call.status, len(cluster.asked)) == (answer.status, 1)
    assert call.problem.startswith(problem)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ({"allowPrivate": False}, "no answer: DialRefused"),
        ({"connect": "169.254.169.254:443"}, "no answer: DialRefused"),
        ({"connect": "127.0.0.1:1"}, "no answer: DialRefused"),
        ({"tls": None}, "the target cannot be reached"),
    ],
)
async def test_the_data_paths_bounds_hold(
    calls: OwnCalls, cluster: ScriptedCluster, target: dict[str, Any], problem: str
) -> None:
    """Private addresses, metadata services, the gateway's own ports, certificates of others: nothing is sent there."""
    call, found = await make(calls, cluster, **target)
    assert (found, call.status, cluster.asked) == (None, 0, [])
    assert call.problem == problem


async def test_a_credential_goes_to_its_hosts_only(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """As in the data path."""
    cluster.injection = Injection(
        bound=origins("https", [("other.example", 443)]), headers=(("Authorization", Secret("x")),)
    )
    call, found = await make(calls, cluster)
    assert (call.problem, found, cluster.asked) == ("the credential is not for this host", None, [])


async def test_a_credential_is_asked_for_whose_call_it_is(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """Where every agent has its own, a look-up is made by that of the agent whose call it is for."""
    asker = Asker(token="planted", agent=Agent(issuer="corp", subject="a1"))
    place = dataclasses.replace(cluster.place(), asker=asker)
    await calls.make(place, GET, asyncio.get_running_loop().time() + 5)
    await make(calls, cluster)
    assert cluster.askers == [asker, None]


@pytest.mark.parametrize("form", ["query", "cookies"])
async def test_other_forms_are_not_sent_half(calls: OwnCalls, cluster: ScriptedCluster, form: str) -> None:
    """What this client cannot put into a call makes it none: never a call without its credential."""
    more: Any = {form: (("key", Secret("planted")),)}
    cluster.injection = dataclasses.replace(cluster.injection, **more)
    call, found = await make(calls, cluster)
    assert call.problem == "the credential's form is not one for the gateway's own calls"
    assert (found, cluster.asked) == (None, [])


async def test_without_a_credential_nothing_is_sent(
    calls: OwnCalls, cluster: ScriptedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal's own reason is what is known."""

    async def refused(_target: str, _asker: Asker | None) -> Injection:
        raise Refusal(Code.CREDENTIAL_UNAVAILABLE, reason="credential of main: gone")

    monkeypatch.setattr(cluster, "get_cached", lambda _target, _asker: None)
    monkeypatch.setattr(cluster, "get", refused)
    call, found = await make(calls, cluster)
    assert (call.problem, found, cluster.asked) == ("credential of main: gone", None, [])


async def test_time_is_bounded(calls: OwnCalls, cluster: ScriptedCluster) -> None:
    """A deadline that is over ends a call before it begins."""
    call, found = await calls.make(cluster.place(), GET, asyncio.get_running_loop().time() - 1)
    assert (call.problem, found) == ("no answer in time", None)
