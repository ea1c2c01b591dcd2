"""Where the requester chooses the audience, something else has to tie a token to its owner."""

import pytest

from gatehold.config.open_audiences import chooses_audience, tied


@pytest.mark.parametrize(
    ("issuer", "open_audience"),
    [
        ("https://token.actions.githubusercontent.com", True),
        ("https://token.actions.githubusercontent.com/acme", True),
        ("https://ghe.corp.example/_services/token", True),
        ("https://gitlab.com", True),
        ("https://gitlab.corp.example", True),
        ("https://accounts.google.com", True),
        ("accounts.google.com", True),
        ("https://kubernetes.default.svc.cluster.local", True),
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", True),
        ("https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", True),
        ("https://idp.corp.example", False),
        ("https://notgitlab.com", False),
        ("https://gitlab.com.evil.example", True),
        ("https://login.microsoftonline.com/tenant/v2.0", False),
        ("gatehold", False),
        ("https://[broken", False),
    ],
)
def test_issuers_with_an_open_audience(issuer: str, open_audience: bool) -> None:
    assert chooses_audience(issuer) is open_audience


@pytest.mark.parametrize(
    "require",
    [
        {},
        {"repository_owner": ["*"]},
        {"repository_owner": ["**"]},
        {"repository_owner": ["?*"]},
        {"repository_owner": ["acme", "*"]},
        {"repository": ["*/*"]},
        {"repository": ["*/app"]},
        {"sub": ["repo:*"]},
        {"sub": ["project_path:*"]},
        {"sub": ["system:serviceaccount:*"]},
        {"sub": ["system:serviceaccount:*:planner"]},
        {"email": ["*@*"]},
        {"email": ["*@*.example"]},
        {"email_verified": ["true"]},
        {"ref": ["refs/heads/main"]},
        {"iss": ["https://gitlab.com"], "aud": ["gatehold"]},
        {"environment": ["production"], "event_name": ["push"]},
    ],
)
def test_what_everybody_has_ties_nothing(require: dict[str, list[str]]) -> None:
    """Neither wildcards in front nor claims whose values are the same for all owners."""
    assert not tied(require)


@pytest.mark.parametrize(
    "require",
    [
        {"repository_owner": ["acme"]},
        {"repository_owner_id": ["123"], "ref": ["refs/heads/main"]},
        {"sub": ["repo:acme/*"]},
        {"sub": ["system:serviceaccount:agents:*"]},
        {"/kubernetes.io/namespace": ["agents"]},
        {"namespace_path": ["acme", "acme/*"]},
        {"hd": ["acme.example"]},
        {"email": ["*@acme.iam.gserviceaccount.com"]},
    ],
)
def test_what_names_an_owner_ties(require: dict[str, list[str]]) -> None:
    """An owner, its number, its namespace, its domain."""
    assert tied(require)
