"""Calls to Kubernetes API servers."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import BODY_VARIABLES, KubernetesAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import UNKNOWN, Family, PathOptions, TargetName, TargetTraits, WireRequest

JSON = ("Content-Type", "application/json")
POD = "/api/v1/namespaces/dev/pods/web"
WEB = "/apis/apps/v1/namespaces/dev/deployments/web"


def action(
    path: str, *headers: tuple[str, str], method: str = "GET", body: Any = b"", **options: Any
) -> KubernetesAction:
    traits = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES, paths=PathOptions(**options))
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    decoded = decode(traits, WireRequest(method=method, path=path, headers=headers, body=sent))
    assert isinstance(decoded, KubernetesAction)
    return decoded


def patch(kind: str, body: Any, path: str = WEB) -> KubernetesAction:
    return action(path, ("Content-Type", f"application/{kind}"), method="PATCH", body=body)


@pytest.mark.parametrize(
    ("path", "wire"),
    [
        ("/%61pi/v1/namespaces/dev/pods/?watch=%31", "/api/v1/namespaces/dev/pods/?watch=%31"),
        ("/api/v1/namespaces/x/services/https%3afoo%3A443/proxy/", "/api/v1/namespaces/x/services/https%3Afoo%3A443/proxy/"),
    ],
)  # fmt: skip
def test_path_that_is_matched_is_the_one_that_is_sent(path: str, wire: str) -> None:
    """Canonical on the wire, decoded in facts."""
    assert action(path).wire_path == wire
    assert action(wire).info == action(path).info


def test_encoded_slash_is_never_opened() -> None:
    """The API server splits after decoding, whatever the target's options say."""
    with pytest.raises(Refusal, match="encoded slash"):
        action("/api/v1/namespaces/dev%2Fpods", encoded_slash="segment")


@pytest.mark.parametrize(
    "header",
    [
        *[("Impersonate-User", "a"), ("impersonate-group", "system:masters"), ("Impersonate_User", "a")],
        *[("IMPERSONATE-EXTRA-scopes", "a"), ("Impersonate-Uid", "a"), ("Impersonate-Anything", "a")],
        *[("Content-Encoding", "gzip"), ("Content_Type", "application/json")],
    ],
)
def test_headers_that_are_refused(header: tuple[str, str]) -> None:
    """Nobody speaks for another, and the body is judged in the form in which the server reads it."""
    with pytest.raises(Refusal) as refusal:
        action(POD, JSON, header, method="PUT", body=b"{}")
    assert refusal.value.code is Code.MALFORMED


def test_two_content_types_are_refused() -> None:
    """The server takes the first, another reader the last."""
    with pytest.raises(Refusal, match="content types"):
        action(POD, JSON, JSON, method="PUT", body=b"{}")


def test_facts_of_a_scale() -> None:
    """The facts that explanations and the audit trail are made of."""
    got = patch("merge-patch+json", {"spec": {"replicas": 12}}, f"{WEB}/scale?dryRun=All&force=true")
    assert got.facts() == {
        "verb": "patch",
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "dev",
        "name": "web",
        "parts": ["deployments", "web", "scale"],
        "resourceRequest": True,
        "path": "/apis/apps/v1/namespaces/dev/deployments/web/scale",
        "fieldSelector": "",
        "labelSelector": "",
        "replicas": 12,
        "oldReplicas": "unknown",
        "dryRun": True,
        "command": [],
        "upgrade": "",
    }
    assert json.loads(json.dumps(got.facts())) == got.facts()


def test_variables_of_a_create() -> None:
    """Under the names of the policy language; nothing of the body before it is asked for."""
    body = {"metadata": {"name": "web", "labels": {"a": "b"}}, "spec": {"replicas": 3}}
    got = action(WEB.removesuffix("/web") + "?fieldManager=me", JSON, method="POST", body=body)
    without = {
        "k8s.verb": "create", "k8s.group": "apps", "k8s.version": "v1", "k8s.resource": "deployments",
        "k8s.subresource": "", "k8s.namespace": "dev", "k8s.labelSelector": "", "k8s.fieldSelector": "",
        "k8s.dryRun": False, "k8s.fieldManager": "me", "k8s.force": False, "k8s.command": [],
        "k8s.container": "", "k8s.stdin": False, "k8s.tty": False, "k8s.oldReplicas": 0, "oldObject": None,
    }  # fmt: skip
    assert got.variables(body=False) == without
    assert repr(got.payload) == "<not read yet>"
    assert got.variables(body=True) == without | {
        "k8s.name": "web", "k8s.replicas": 3, "k8s.labels": {"a": "b"}, "k8s.images": [],
        "object": body,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/namespaces/dev/pods", {"metadata": {"name": "a"}}),
        ("PUT", POD, {}),
        ("DELETE", POD, {}),
        ("DELETE", POD, b""),
        ("GET", POD, b""),
        ("GET", "/api/v1/pods", b""),
        ("GET", "/version", b""),
    ],
)
def test_body_variables_are_those_that_need_the_body(method: str, path: str, body: Any) -> None:
    """The engine leaves out what is named here until a rule asks for it."""
    got = action(path, JSON, method=method, body=body)
    without = got.variables(body=False)
    assert repr(got.payload) == "<not read yet>"
    full = got.variables(body=True)
    assert without.items() <= full.items()
    assert set(full) - set(without) <= BODY_VARIABLES
    assert not {name for name, value in full.items() if value is UNKNOWN or isinstance(value, tuple)}


@pytest.mark.parametrize(
    ("method", "path", "namespaces", "names"),
    [
        ("GET", "/api/v1/pods", True, True),
        ("GET", "/api/v1/secrets?watch=1", True, True),
        ("GET", "/api/v1/secrets?fieldSelector=metadata.name%3Dx", True, False),
        ("GET", "/api/v1/watch/secrets", True, True),
        ("DELETE", "/api/v1/pods", True, True),
        ("GET", "/api/v1/namespaces/dev/pods", False, True),
        ("GET", POD, False, False),
        ("GET", "/api/v1/nodes", False, True),
        ("GET", "/api/v1/nodes/n1", False, False),
        ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles", False, True),
        ("GET", "/apis/example.com/v1/things/x", True, False),
        ("GET", "/apis/example.com/v1/nodes/x", True, False),
        ("GET", "/api/v1/namespaces", True, True),
        ("GET", "/api/v1/namespaces/dev", False, False),
        ("POST", "/api/v1/namespaces", True, True),
        ("DELETE", "/api/v1/namespaces/dev", False, False),
        ("GET", "/version", False, False),
    ],
)
def test_calls_that_cover_more_than_one_thing(method: str, path: str, namespaces: bool, names: bool) -> None:
    """No namespace means every namespace, no name means every name; and no comparison with either is possible then."""
    got = action(path, method=method)
    assert (got.covers_all_namespaces, got.covers_all_names) == (namespaces, names)
    variables = got.variables(body=True)
    assert ("k8s.namespace" in variables, "k8s.name" in variables) == (not namespaces, not names)


@pytest.mark.parametrize(
    ("body", "name", "covers"),
    [
        ({"metadata": {"name": "a"}}, "a", False),
        ({"metadata": {"generateName": "a-"}}, "", True),
        ({}, "", True),
        ({"metadata": 5}, UNKNOWN, True),
        (b"{", UNKNOWN, True),
        (b"", "", True),
        (None, UNKNOWN, True),
    ],
)
def test_name_of_a_create_is_in_its_body(body: Any, name: object, covers: bool) -> None:
    """A name that the server chooses, or that cannot be read, may be any name."""
    got = action("/api/v1/namespaces/dev/pods", JSON, method="POST", body=body)
    assert (got.name, got.covers_all_names) == (name, covers)


def test_name_of_the_url_counts_on_subresources() -> None:
    """The body of an eviction is another object."""
    got = action(f"{POD}/eviction", JSON, method="POST", body={"metadata": {"name": "other"}})
    assert got.name == "web"


@pytest.mark.parametrize(
    ("method", "path", "content_type", "verbs"),
    [
        ("PATCH", WEB, "application/apply-patch+yaml", ("create",)),
        ("PATCH", WEB, "application/apply-patch+yaml; charset=utf-8", ("create",)),
        ("PATCH", WEB, "application/apply-patch+cbor", ("create",)),
        ("PATCH", WEB, "application/merge-patch+json", ()),
        ("PATCH", WEB, "application/json-patch+json", ()),
        ("PATCH", WEB, "application/strategic-merge-patch+json", ()),
        ("PATCH", WEB, "Application/Merge-Patch+JSON", ("create",)),
        ("PATCH", f"{WEB}/scale", "application/apply-patch+yaml", ()),
        ("PUT", WEB, "application/json", ("create",)),
        ("PUT", f"{WEB}/scale", "application/json", ()),
        ("GET", f"{POD}/exec", "", ("create",)),
        ("GET", f"{POD}/attach", "", ("create",)),
        ("GET", f"{POD}/portforward", "", ("create",)),
        ("POST", f"{POD}/exec", "", ()),
        ("GET", f"{POD}/log", "", ()),
        ("GET", POD, "", ()),
        ("HEAD", "/version", "", ("get",)),
        ("HEAD", POD, "", ()),
    ],
)
def test_calls_that_count_as_more_than_one_verb(
    method: str, path: str, content_type: str, verbs: tuple[str, ...]
) -> None:
    """Whatever can create counts as create, and whatever tells as much as a get as get."""
    headers = (("Content-Type", content_type),) if content_type else ()
    assert action(path, *headers, method=method).also_verbs == verbs


@pytest.mark.parametrize(
    ("method", "path", "write"),
    [
        ("GET", POD, False),
        ("HEAD", POD, False),
        ("OPTIONS", POD, False),
        ("GET", "/api/v1/pods?watch=1", False),
        ("GET", f"{POD}/log", False),
        ("GET", "/version", False),
        ("POST", "/version", True),
        ("POST", "/api/v1/namespaces/dev/pods", True),
        ("DELETE", POD, True),
        ("GET", f"{POD}/exec", True),
        ("GET", f"{POD}/attach", True),
        ("GET", f"{POD}/portforward", True),
        ("GET", f"{POD}/proxy/x", True),
        ("GET", "/api/v1/namespaces/dev/services/a/proxy", True),
        ("GET", "/api/v1/nodes/n1/proxy", True),
        ("GET", "/api/v1/proxy/nodes/n1", True),
        ("POST", "/api/v1/watch/pods", True),
    ],
)
def test_writes(method: str, path: str, write: bool) -> None:
    """A tunnel is never a read, and neither is a method that writes."""
    assert action(path, method=method).is_write is write
    assert action(path, ("Upgrade", "websocket"), method=method).is_write


@pytest.mark.parametrize(
    ("method", "path", "body", "dry_run"),
    [
        ("POST", "/api/v1/namespaces/dev/pods", {}, False),
        ("POST", "/api/v1/namespaces/dev/pods?dryRun=All", {}, True),
        ("PUT", f"{POD}?dryRun=All", {}, True),
        ("PATCH", f"{POD}?dryRun=All", {}, True),
        ("PATCH", f"{POD}?DryRun=All", {}, False),
        ("PATCH", f"{POD}?dryrun=All", {}, False),
        ("PATCH", f"{POD}?dryRun=All;", {}, False),
        ("PATCH", f"{POD}?dryRun=all", {}, UNKNOWN),
        ("PATCH", f"{POD}?dryRun=", {}, UNKNOWN),
        ("PATCH", f"{POD}?dryRun=All&dryRun=", {}, UNKNOWN),
        ("PATCH", f"{POD}?dryRun=All&dryRun=All", {}, True),
        ("DELETE", f"{POD}?dryRun=All", b"", True),
        ("DELETE", f"{POD}?dryRun=All", {}, False),
        ("DELETE", f"{POD}?dryRun=All", {"dryRun": ["All"]}, True),
        ("DELETE", POD, {"dryRun": ["All"]}, True),
        ("DELETE", POD, {"dryRun": ["None"]}, UNKNOWN),
        ("DELETE", f"{POD}?dryRun=All", b"{", UNKNOWN),
        ("DELETE", f"{POD}?dryRun=All", None, UNKNOWN),
        ("DELETE", "/api/v1/namespaces/dev/pods?dryRun=All", {}, False),
        ("DELETE", "/api/v1/namespaces/dev/pods?dryRun=All", b"", True),
        ("POST", f"{POD}/eviction?dryRun=All", {}, True),
        ("POST", f"{POD}/exec?dryRun=All", b"", False),
        ("GET", f"{POD}/exec?dryRun=All", b"", False),
        ("POST", f"{POD}/proxy/x?dryRun=All", b"", False),
        ("POST", "/api/v1/namespaces/dev/serviceaccounts/a/token?dryRun=All", {}, False),
        ("POST", "/api/v1/proxy/nodes/n1?dryRun=All", b"", False),
        ("GET", f"{POD}?dryRun=All", b"", False),
    ],
)
def test_dry_run(method: str, path: str, body: Any, dry_run: object) -> None:
    """True only where the server will really only pretend."""
    got = action(path, JSON, method=method, body=body)
    assert got.dry_run == dry_run
    assert got.variables(body=True).get("k8s.dryRun", UNKNOWN) == dry_run


def test_exec() -> None:
    """The command and where it runs."""
    got = action(f"{POD}/exec?command=sh&command=-c&command=echo+hi%3B+exit&container=a&container=b&stdin=true&tty=1")
    assert got.command == ("sh", "-c", "echo hi; exit")
    assert (got.container, got.stdin, got.tty) == ("a", True, True)
    assert got.facts()["command"] == ["sh", "-c", "echo hi; exit"]
    assert not action(f"{POD}/exec?stdin=false&tty=0").stdin


def test_parameters_count_where_the_server_reads_them() -> None:
    """``command`` means nothing to a log, ``force`` nothing to an update."""
    got = action(f"{POD}/log?command=x&container=a&stdin=true&tty=true")
    assert (got.command, got.container, got.stdin, got.tty) == ((), "a", False, False)
    assert patch("apply-patch+yaml", {}, f"{WEB}?force").force
    assert not patch("apply-patch+yaml", {}, f"{WEB}?force=false&force=true").force
    assert not action(f"{WEB}?force=true", method="PUT", body={}).force
    assert action(f"{WEB}?fieldManager=a&fieldManager=b", method="PUT", body={}).field_manager == "a"


def test_replicas_that_stay() -> None:
    """A patch of something else leaves the number unknown, and is known to leave it alone."""
    got = patch("merge-patch+json", {"metadata": {"labels": {"a": "b"}}})
    assert (got.replicas, got.replicas_unchanged) == (UNKNOWN, True)
    got = patch("merge-patch+json", {"spec": {"replicas": 5}})
    assert (got.replicas, got.replicas_unchanged) == (5, False)


def test_what_was_before_is_known_of_a_create_only() -> None:
    """0 replicas and no object; of everything else the request does not tell."""
    create = action("/apis/apps/v1/namespaces/dev/deployments", JSON, method="POST", body={})
    assert (create.old_replicas, create.old_object) == (0, None)
    for other in (action(WEB, JSON, method="PUT", body={}), action(f"{POD}/eviction", JSON, method="POST", body={})):
        assert other.old_replicas is other.old_object is UNKNOWN
        assert not {"oldObject", "k8s.oldReplicas"} & set(other.variables(body=True))


@pytest.mark.parametrize(
    ("method", "path", "addressed", "parent"),
    [
        ("GET", f"{POD}?x=1", POD, POD),
        ("GET", f"{POD}/", POD, POD),
        ("PATCH", f"{WEB}/scale?dryRun=All", f"{WEB}/scale", WEB),
        ("PUT", f"{WEB}/status", WEB, WEB),
        ("GET", f"{POD}/exec?command=sh", POD, POD),
        ("GET", f"{POD}/proxy/a/b/", POD, POD),
        ("PUT", "/api/v1/namespaces/dev/finalize", "/api/v1/namespaces/dev", "/api/v1/namespaces/dev"),
        ("GET", "/api/v1/namespaces/dev", "/api/v1/namespaces/dev", "/api/v1/namespaces/dev"),
        ("GET", "/%61pi/v1/nodes/a%3ab/status", "/api/v1/nodes/a%3Ab", "/api/v1/nodes/a%3Ab"),
        ("GET", "/api/v1/pods", "/api/v1/pods", "/api/v1/pods"),
        ("GET", "/version?a", "/version", "/version"),
    ],
)
def test_paths_of_the_object(method: str, path: str, addressed: str, parent: str) -> None:
    """What to GET for the object that is addressed, and for the one that it belongs to."""
    got = action(path, method=method)
    assert (got.object_path, got.parent_path) == (addressed, parent)
    assert action(got.object_path).wire_path == got.object_path


def test_path_of_what_is_created() -> None:
    """The name is in the body."""
    pods = POD.removesuffix("/web")
    assert action(pods, JSON, method="POST", body={"metadata": {"name": "a/b"}}).object_path == f"{pods}/a%2Fb"
    assert action(pods, JSON, method="POST", body={"metadata": {"generateName": "a-"}}).object_path == pods


def test_knowing() -> None:
    """The same call with more facts, and the same body, which is not read again."""
    before = patch("merge-patch+json", {"spec": {"paused": True}})
    after = before.knowing(KnownObjects(old={"spec": {"replicas": 3}}, new={"spec": {"replicas": 3}, "x": "planted"}))
    assert before.replicas is before.object is UNKNOWN
    assert (after.replicas, after.old_replicas, after.facts()["oldReplicas"]) == (3, 3, 3)
    assert after.variables(body=False)["oldObject"] == {"spec": {"replicas": 3}}
    assert after.variables(body=True)["object"]["x"] == "planted"
    assert after.payload is before.payload
    assert "planted" not in repr(after)


def test_unknown_bodies_say_why() -> None:
    """In the audit trail, and with nothing of the body."""
    got = action(WEB, JSON, method="PUT", body=b'{"planted-value":1,"planted-value":2}')
    assert got.object is got.labels is got.images is got.replicas is UNKNOWN
    assert "twice" in got.body_reason()
    assert "planted-value" not in got.body_reason() + repr(got) + json.dumps(got.facts())
    assert got.facts()["replicas"] == "unknown"


def test_non_resource_paths() -> None:
    """Verb and path are all there is."""
    got = action("/openapi/v3?timeout=32s")
    assert (got.resource_request, got.verb, got.path) == (False, "get", "/openapi/v3")
    assert got.variables(body=True)["k8s.namespace"] == ""


def test_upgrade_is_told() -> None:
    """Whether it may is for others to judge."""
    assert action(f"{POD}/exec", ("Upgrade", "SPDY/3.1"), method="POST").upgrade == "SPDY/3.1"


def test_repr_holds_no_values() -> None:
    """Neither query nor body nor header."""
    got = action(
        f"{POD}?x=planted-value", ("Authorization", "planted-value"), JSON, method="PUT", body={"a": "planted-value"}
    )
    got.facts()
    assert "planted-value" not in repr(got)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/namespaces/x/services/web/proxy", "web"),
        ("/api/v1/namespaces/x/services/web:http/proxy/a", "web"),
        ("/api/v1/namespaces/x/services/https:web:/proxy", "web"),
        ("/api/v1/namespaces/x/services/https%3Aweb%3A443/proxy", "web"),
        ("/api/v1/proxy/nodes/https:web:10250/pods", "web"),
        ("/api/v1/namespaces/x/services/a:b:c:d/proxy", "a:b:c:d"),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:web", "system:web"),
        ("/api/v1/pods", ""),
    ],
)
def test_what_a_proxy_speaks_to(path: str, name: str) -> None:
    """As k8s.io/apimachinery splits it; the name of the request itself stays what the server takes it for."""
    assert action(path).proxied_name == name
