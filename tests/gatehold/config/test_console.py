"""Law: people's passwords and cookies cross no network in the clear, and somebody can sign in."""

from typing import Any

import pytest
from pydantic import ValidationError

from gatehold.config.console import ConsoleSpec

OIDC = {"issuer": "https://idp.example", "clientId": "gatehold", "allow": ["sre"]}


def _problem(document: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as problem:
        ConsoleSpec.model_validate(document)
    return str(problem.value)


@pytest.mark.parametrize(
    ("document", "secure"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost", "url": "http://localhost:8081"}, False),
        ({"url": "https://gatehold.example"}, True),
        ({"host": "0.0.0.0", "url": "https://gatehold.example/"}, True),
        ({"host": "10.0.0.7", "url": "https://gatehold.example:8443"}, True),
    ],
)
def test_where_it_may_be(document: dict[str, Any], secure: bool) -> None:
    """On this machine, or behind https."""
    spec = ConsoleSpec.model_validate(document)
    assert spec.secure is secure
    assert not (spec.url or "").endswith("/")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "gatehold.example"])
@pytest.mark.parametrize("url", [None, "http://127.0.0.1:8081"])
def test_other_machines_need_https(host: str, url: str | None) -> None:
    """The message says what to write."""
    assert "url: https://gatehold.corp.example" in _problem({"host": host, **({"url": url} if url else {})})


@pytest.mark.parametrize(
    "url",
    ["http://gatehold.example", "gatehold.example", "https://", "https://a.example/console", "https://a.example?x",
     "https://a@b.example", "https://a.example#x", "javascript:alert(1)", "ftp://a.example"],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    """A console has a whole host of its own: cookies do not stop at paths."""
    assert "url" in _problem({"url": url})


def test_somebody_can_sign_in() -> None:
    """By a password, at a provider, or both."""
    assert "nobody could sign in" in _problem({"login": {"password": False}})
    assert ConsoleSpec.model_validate({"login": {"password": False, "oidc": OIDC}}).login.oidc


@pytest.mark.parametrize(
    "change",
    [{"issuer": "http://idp.example"}, {"issuer": "idp.example"}, {"issuer": "https://a@idp.example"},
     {"issuer": "https://idp.example?tenant=1"}, {"issuer": "https://[broken"}, {"allow": []}, {"scopes": ["profile"]},
     {"clientSecret": ""}, {"unknown": 1}],
)  # fmt: skip
def test_providers_that_are_none(change: dict[str, Any]) -> None:
    """They are refused before anybody is sent there."""
    _problem({"login": {"oidc": OIDC | change}})


def test_a_provider_may_run_here() -> None:
    """For tries."""
    assert ConsoleSpec.model_validate({"login": {"oidc": OIDC | {"issuer": "http://127.0.0.1:3000"}}})


def test_its_secret_shows_nowhere() -> None:
    """Neither as a literal nor as a reference."""
    spec = ConsoleSpec.model_validate({"login": {"oidc": OIDC | {"clientSecret": "planted-5f2a"}}})
    assert "planted" not in f"{spec!r}{spec.model_dump()}{spec.model_dump_json()}"


@pytest.mark.parametrize("session", [{"max": "0s"}, {"idle": "0s"}, {"max": "soon"}, {"max": 5}])
def test_sessions_that_are_none(session: dict[str, Any]) -> None:
    """A session lasts."""
    _problem({"session": session})
