"""One issuer as a configuration describes it: what cannot be verified safely is refused there."""

from typing import Any

import pytest
from pydantic import ValidationError

from gatehold.config.issuers import IssuerSpec

ENTRA = "https://login.microsoftonline.com/{tid}/v2.0"


def issuer(**keys: Any) -> IssuerSpec:
    document = {
        "name": "corp",
        "issuer": "https://idp.corp.example",
        "audience": "gatehold",
        "jwks": {"discovery": True},
        "algorithms": ["RS256"],
        **keys,
    }
    return IssuerSpec.model_validate(document, context={"base": "/"})


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"issuer": "gatehold:exchange"}, "the gateway's own"),
        ({"issuer": ENTRA, "require": {"tid": ["t"]}}, "no one address to discover"),
        ({"issuer": ENTRA, "jwks": {"url": "https://login.example/keys"}}, "`require` is missing"),
        ({"claims": {"subject": "email"}}, "e-mail address"),
        ({"claims": {"subject": "email"}, "require": {"email_verified": ["*"]}}, "e-mail address"),
        ({"claims": {"subject": "email"}, "require": {"email_verified": ["true", "false"]}}, "e-mail address"),
        ({"jwks": {"file": "jwks.json", "ca": "ca.pem"}}, "`ca` belongs"),
        ({"jwks": {"cluster": "main", "url": "https://x.example"}}, "exactly one"),
        ({"issuer": "https://gitlab.com", "require": {"ref": ["main"]}}, "`require` is missing"),
        ({"clients": []}, "at least 1"),
        ({"use": "both"}, "exchange"),
    ],
)
def test_what_cannot_be_verified_safely(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        issuer(**keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"issuer": ENTRA, "jwks": {"url": "https://login.example/keys"}, "require": {"tid": ["a", "b"]}},
        {"claims": {"subject": "email"}, "require": {"email_verified": ["true"]}},
        {"claims": {"subject": "oid", "purpose": "task"}, "clients": ["planner-*"], "use": "exchange"},
        {"jwks": {"cluster": "main"}, "tokenReview": "main"},
    ],
)
def test_what_can(keys: dict[str, Any]) -> None:
    assert issuer(**keys)
