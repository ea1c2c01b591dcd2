"""Where the requester chooses the audience, something else has to tie a token to its owner."""

import pytest

from gatehold.config.issuers import chooses_audience


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
