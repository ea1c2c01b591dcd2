"""From any request to an action, or to a refusal, and to nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family, PathOptions, TargetName, TargetTraits, WireRequest

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) | st.text(max_size=6)
WORDS = [
    "api",
    "apis",
    "apps",
    "v1",
    "namespaces",
    "pods",
    "watch",
    "proxy",
    "exec",
    "scale",
    "a",
    "%61",
    "%3A",
    "..",
    "",
]
PATHS = st.lists(st.sampled_from(WORDS), max_size=8).map(lambda words: "/" + "/".join(words)) | st.text(max_size=20)
QUERIES = st.lists(
    st.sampled_from(
        ["watch", "watch=0", "dryRun=All", "dryRun=", "command=a", "fieldSelector=metadata.name%3Dx", "labelSelector=a",
         "labelSelector=!!", "limit=x", "a;b", "%zz", "%FF", "force", "\x00", "é", ""]
    ),
    max_size=4,
).map("&".join)  # fmt: skip
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "content_type", "Content-Length", "Upgrade", "Impersonate-User", "X-A"])
        | st.text(),
        st.sampled_from(
            ["application/json", "application/apply-patch+yaml", "application/json-patch+json", "0", "\udcff"]
        )
        | st.text(),
    ),
    max_size=4,
)
BODIES = (
    st.none()
    | st.binary(max_size=30)
    | st.sampled_from(
        [
            b"",
            b"{}",
            b'{"spec":{"replicas":3}}',
            b'[{"op":"add","path":"/spec/replicas","value":3}]',
            b"k8s\x00\x12\x00",
        ]
    )
)
REQUESTS = st.builds(
    lambda method, path, query, headers, body: WireRequest(
        method=method, path=f"{path}?{query}" if query else path, headers=tuple(headers), body=body
    ),
    METHODS, PATHS, QUERIES, HEADERS, BODIES,
)  # fmt: skip
FAMILIES = st.sampled_from(list(Family))


def traits(family: Family, **options: Any) -> TargetTraits:
    return TargetTraits(name=TargetName("t"), family=family, paths=PathOptions(**options))


@given(FAMILIES, REQUESTS)
def test_never_raises_but_a_refusal(family: Family, request: WireRequest) -> None:
    """Every request is an action whose every fact can be asked for, or malformed."""
    try:
        action = decode(traits(family), request)
    except Refusal:
        return
    assert json.dumps(action.facts())
    assert action.variables(body=False).items() <= action.variables(body=True).items()
    assert isinstance(action.is_write, bool)
    assert isinstance(action, HttpAction) or action.also_verbs in {(), ("create",), ("get",)}


@given(FAMILIES, REQUESTS)
def test_what_is_sent_decodes_to_the_same_action(family: Family, request: WireRequest) -> None:
    """The canonical request is judged as the original was: nothing is gained by the way of writing it."""
    try:
        action = decode(traits(family), request)
    except Refusal:
        return
    again = WireRequest(method=request.method, path=action.wire_path, headers=request.headers, body=request.body)
    repeated = decode(traits(family), again)
    assert repeated == action
    assert repeated.facts() == action.facts()


@pytest.mark.parametrize(("family", "kind"), [(Family.HTTP, HttpAction), (Family.KUBERNETES, KubernetesAction)])
def test_family_of_the_target_decides(family: Family, kind: type) -> None:
    """Not the request: a path of one API means nothing to another."""
    action = decode(traits(family), WireRequest(method="GET", path="/api/v1/pods"))
    assert isinstance(action, kind)
    assert action.family is family


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("get", "/a", (), b""),
        ("TRACE", "/a", (), b""),
        ("CONNECT", "/a", (), b""),
        ("GET", "/a", (), b"x"),
        ("HEAD", "/a", (("Transfer-Encoding", "chunked"),), None),
        ("POST", "/a", (("X-HTTP-Method-Override", "DELETE"),), b""),
        ("POST", "/a", (("x_method_override", "DELETE"),), b""),
        ("GET", "//a", (), b""),
        ("GET", "/a/../b", (), b""),
        ("GET", "/a/%2e%2e/b", (), b""),
        ("GET", "/a%2Fb", (), b""),
        ("GET", "/a;x", (), b""),
        ("GET", "/a\\b", (), b""),
        ("GET", "/a#frag", (), b""),
        ("GET", "/a?b#frag", (), b""),
        ("GET", "http://other.example/a", (), b""),
    ],
)
def test_observed_bypasses_are_refused(
    family: Family, method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes | None
) -> None:
    """Every form that a stock proxy forwards as it is."""
    with pytest.raises(Refusal) as refusal:
        decode(traits(family), WireRequest(method=method, path=path, headers=headers, body=body))
    assert refusal.value.code is Code.MALFORMED
