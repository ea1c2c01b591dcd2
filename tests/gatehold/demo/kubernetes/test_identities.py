"""Who a request is made as."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gatehold.demo.certificates import ClientUser, make_client_certificates
from gatehold.demo.kubernetes.identities import OWNER, Identity, Known, Shown, account, caller_of, identity_of
from gatehold.demo.kubernetes.statuses import ApiError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMS: dict[str, Any] = {"sub": "system:serviceaccount:prod:app", "exp": int(NOW.timestamp()) + 1}
MINTED = f"x.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode()}.y"
APP = account("system:serviceaccount:prod:app")
KNOWN = Known(
    owner="owners", minted={MINTED}, others={"alices": Identity(user="alice", groups=("system:authenticated",))}
)


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
    assert identity_of(OWNER, headers) == expected


@pytest.mark.parametrize(
    ("token", "user"),
    [("owners", OWNER.user), (MINTED, APP.user), ("alices", "alice")],
    ids=["owner", "minted", "other"],
)
def test_a_token_shows_its_owner(token: str, user: str) -> None:
    """The server's own, one that it minted, one that it was told of."""
    assert caller_of(Shown(authorization=f"Bearer {token}"), KNOWN, NOW).user == user


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", "Basic owners", "owners"])
def test_strangers_are_not_let_in(header: str) -> None:
    """No token, an unknown one, another scheme."""
    with pytest.raises(ApiError) as error:
        caller_of(Shown(authorization=header), KNOWN, NOW)
    assert error.value.code == 401


def test_a_minted_token_ends() -> None:
    """At the time that it says."""
    late = datetime.fromtimestamp(CLAIMS["exp"], UTC)
    with pytest.raises(ApiError):
        caller_of(Shown(authorization=f"Bearer {MINTED}"), KNOWN, late)


def test_a_certificate_shows_a_user(tmp_path: Path) -> None:
    """Common name and organizations; it goes before a token."""
    _, (files,) = make_client_certificates(tmp_path, [ClientUser(name="gateway", groups=("ops", "readers"))])
    shown = Shown(certificate=files.certificate.read_text(), authorization="Bearer owners")
    identity = caller_of(shown, KNOWN, NOW)
    assert (identity.user, identity.groups) == ("gateway", ("ops", "readers", "system:authenticated"))


def test_others_may_not() -> None:
    """With an impersonation header they are refused."""
    assert identity_of(APP, []) == APP
    with pytest.raises(ApiError) as error:
        identity_of(APP, [("impersonate-user", "alice")])
    assert (error.value.code, "cannot impersonate" in error.value.message) == (403, True)


@pytest.mark.parametrize("name", ["impersonate-group", "impersonate-uid", "impersonate-extra-scopes"])
def test_nobody_is_no_user(name: str) -> None:
    """Groups without a user are an error of the server, as in the real one."""
    with pytest.raises(ApiError) as error:
        identity_of(OWNER, [(name, "system:masters")])
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
