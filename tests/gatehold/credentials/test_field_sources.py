"""Which source a configuration names."""

from pathlib import Path
from typing import Any

import pytest

from gatehold.config.credential_sources import FromSpec
from gatehold.credentials.field_sources import MAKERS, FieldSources

CLIENT = {"tokenUrl": "https://idp.test/token", "clientId": "gatehold", "clientSecret": "planted"}
NAMED: dict[str, dict[str, Any]] = {
    "vault": {"address": "https://vault.test", "auth": {"token": "planted"}, "path": "crm"},
    "exec": {"command": "print-credential"},
    "oauth": CLIENT,
    "exchange": CLIENT,
    "githubApp": {"appId": "1", "installationId": 1, "privateKey": "app.pem"},
}


def test_every_source_has_its_row() -> None:
    """The table and what a configuration can name are the same."""
    assert set(MAKERS) == set(FromSpec.model_fields)


@pytest.mark.parametrize("name", NAMED)
def test_the_source_that_is_named(name: str, tmp_path: Path) -> None:
    """Only ``exchange`` gives every agent its own."""
    spec = FromSpec.model_validate({name: NAMED[name]}, context={"base": str(tmp_path)})
    source = FieldSources().of(spec)
    assert spec.kind == name
    assert source.per_agent == (name == "exchange")
    assert "planted" not in f"{source!r} {vars(source)!r} {spec!r}"


def test_one_sign_in_for_one_vault(tmp_path: Path) -> None:
    """For all secrets that are read in the same way, and only those."""
    having = FieldSources()

    def login(**keys: Any) -> Any:
        spec = FromSpec.model_validate({"vault": NAMED["vault"] | keys}, context={"base": str(tmp_path)})
        return having.vaults.of(spec.vault) if spec.vault else None

    assert login() is login(path="other", mount="kv", version=3, refresh="1h")
    others = [login(), login(address="https://other.test"), login(namespace="a"), login(ca="ca.pem"),
              login(auth={"token": "planted-other"}), login(auth={"approle": {"roleId": "planted"}})]  # fmt: skip
    assert len(set(map(id, others))) == len(others)
