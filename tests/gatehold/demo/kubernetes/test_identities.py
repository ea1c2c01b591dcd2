"""Who a request is made as."""

import base64
import json
from typing import Any

import httpx2
import pytest

from gatehold.demo.kubernetes.identities import OWNER, Identity, identity_of
from gatehold.demo.kubernetes.statuses import ApiError

MINTED = f"x.{base64.urlsafe_b64encode(json.dumps({'sub': 'system:serviceaccount:prod:app'}).encode()).decode()}.y"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], OWNER),
        ([("Impersonate-User", "alice")], Identity(user="alice", groups=("system:authenticated",), impersonated=True)),
        (
            [("impersonate-user", "agent:i:s"), ("impersonate-group", "agent:a"), ("impersonate-group", "agent:b")],
            Identity(user="agent:i:s", groups=("agent:a", "agent:b", "system:authenticated"), impersonated=True),
        ),
        (
            [("impersonate-user", "system:serviceaccount:dev:x")],
            Identity(
                user="system:serviceaccount:dev:x",
                groups=("system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"),
                impersonated=True,
            ),
        ),
    ],
)
def test_the_owner_may_speak_for_others(headers: Any, expected: Identity) -> None:
    """The user and the groups of the headers, and what the server adds."""
    assert identity_of("any", headers, owner=True) == expected


def test_others_may_not() -> None:
    """A minted token is its account; with an impersonation header it is refused."""
    assert identity_of(MINTED, [], owner=False).user == "system:serviceaccount:prod:app"
    with pytest.raises(ApiError) as error:
        identity_of(MINTED, [("impersonate-user", "alice")], owner=False)
    assert (error.value.code, "cannot impersonate" in error.value.message) == (403, True)


@pytest.mark.parametrize("name", ["impersonate-group", "impersonate-uid", "impersonate-extra-scopes"])
def test_nobody_is_no_user(name: str) -> None:
    """Groups without a user are an error of the server, as in the real one."""
    with pytest.raises(ApiError) as error:
        identity_of("any", [(name, "system:masters")], owner=True)
    assert error.value.code == 500


def test_over_http(client: httpx2.Client) -> None:
    """A minted token may not impersonate, and knows who it is."""
    path = "/api/v1/namespaces/prod/serviceaccounts/default/token"
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}}
    minted = {"Authorization": f"Bearer {client.post(path, json=request).json()['status']['token']}"}
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    told = client.post(who, json={}, headers=minted).json()["status"]["userInfo"]
    assert told["username"] == "system:serviceaccount:prod:default"
    assert client.get("/api/v1/pods", headers=minted | {"Impersonate-User": "alice"}).status_code == 403
