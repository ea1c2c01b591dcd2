"""A target's credential: what its source gives, in the form that its configuration names."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.model import Target
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.fields import Asker, Fields, FieldSource
from gatehold.credentials.injection import origins
from gatehold.credentials.sourced import Owner, SourcedCredential
from gatehold.credentials.sources import CredentialDelayed
from policy.model import Agent

BOUND = origins("https", [("crm.corp.example", 443)])
ASKER = Asker(token="planted-agent-token", agent=Agent(issuer="corp", subject="a1"))


def sourced(target: Target, keys: Path, source: FieldSource | None = None) -> SourcedCredential:
    """The credential of a target, for calls of one agent."""
    spec = target.spec.credential
    assert spec is not None
    return SourcedCredential(spec, Owner(name=target.name, bound=BOUND, keys=keys), source, ASKER)


@dataclass
class Given:
    """A source that gives what it is told to."""

    values: dict[str, str]
    expires_at: float | None = None
    secrets: tuple[Secret, ...] = ()
    failure: CredentialUnavailable | None = None
    asked: list[Asker | None] = field(default_factory=list)
    per_agent: bool = False

    async def obtain(self, asker: Asker | None) -> Fields:
        self.asked.append(asker)
        if self.failure is not None:
            raise self.failure
        values = {name: Secret(value) for name, value in self.values.items()}
        return Fields(values=values, expires_at=self.expires_at, secrets=self.secrets)


VAULT = {"vault": {"address": "https://vault.test", "auth": {"token": "${file:vault.token}"}, "path": "crm"}}


@pytest.mark.parametrize(
    ("credential", "name", "value", "secret"),
    [
        ({"header": "X-Api-Key", "value": "${env:CRM_TOKEN}"}, "X-Api-Key", "planted-1", "planted-1"),
        ({"header": "X-Key", "prefix": "Key ", "value": "${env:CRM_TOKEN}"}, "X-Key", "Key planted-1", "planted-1"),
        ({"bearer": "a.${env:CRM_TOKEN}"}, "Authorization", "Bearer a.planted-1", "a.planted-1"),
        ({"bearer": "${file:token.txt}"}, "Authorization", "Bearer from-file", "from-file"),
        (
            {"basic": {"username": "gate", "password": "${env:CRM_TOKEN}"}},
            "Authorization",
            "Basic " + base64.b64encode(b"gate:planted-1").decode(),
            "planted-1",
        ),
    ],
)
async def test_forms(  # noqa: PLR0917
    target: Callable[..., Any],
    credential: dict[str, Any],
    name: str,
    value: str,
    secret: str,
    planted: None,
    tmp_path: Path,
) -> None:
    """Header, bearer and basic, from environment, file and literal; the bare value is known for masking."""
    injection = await sourced(target(credential), tmp_path).obtain()
    assert [(header, text.reveal()) for header, text in injection.headers] == [(name, value)]
    assert secret in [text.reveal() for text in injection.secrets]
    assert injection.bound == BOUND
    assert injection.expires_at is None


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "planted-1")
    (tmp_path / "token.txt").write_text("from-file\n")


async def test_files_are_read_again_when_they_change(target: Callable[..., Any], tmp_path: Path) -> None:
    """Written anew, replaced, or reached by a link that was swapped, as Secret mounts do it."""
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(f"{version}-value")
    (tmp_path / "mount").symlink_to("v1")
    source = sourced(target({"bearer": "${file:mount/token}"}), tmp_path)

    async def current() -> str:
        return (await source.obtain()).secrets[0].reveal()

    assert await current() == "v1-value"
    assert not source.changed()
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").rename(tmp_path / "mount")
    assert source.changed()
    assert await current() == "v2-value"
    (tmp_path / "v2/token").unlink()
    assert source.changed()
    with pytest.raises(CredentialUnavailable, match="No such file"):
        await source.obtain()
    (tmp_path / "v2/token").write_text("v3-value")
    assert source.changed()
    assert await current() == "v3-value"


async def test_what_is_missing_is_named_without_values(
    target: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variable or file; not what else the template holds."""
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    source = sourced(target({"bearer": "planted-${env:CRM_TOKEN}"}), tmp_path)
    with pytest.raises(CredentialUnavailable, match="CRM_TOKEN") as error:
        await source.obtain()
    assert "planted" not in str(error.value)


async def test_fields_stand_where_the_form_has_them(target: Callable[..., Any], tmp_path: Path) -> None:
    """Asked for in the asker's name; used for as long as the source says, and nothing of it may come back."""
    given = Given({"user": "gateway", "password": "planted-password"}, 1000.0, secrets=(Secret("planted-more"),))
    form = {"basic": {"username": "${from:user}", "password": "${from:password}"}, "from": VAULT}
    injection = await sourced(target(form), tmp_path, given).obtain()
    assert injection.headers[0][1].reveal() == "Basic " + base64.b64encode(b"gateway:planted-password").decode()
    assert (injection.expires_at, given.asked) == (1000.0, [ASKER])
    assert {"planted-password", "planted-more"} <= {secret.reveal() for secret in injection.secrets}
    assert "planted" not in repr(injection)


async def test_a_source_alone_is_a_bearer_token(target: Callable[..., Any], tmp_path: Path) -> None:
    """Its field ``token``."""
    injection = await sourced(target({"from": VAULT}), tmp_path, Given({"token": "planted-1"})).obtain()
    assert [(name, value.reveal()) for name, value in injection.headers] == [("Authorization", "Bearer planted-1")]


async def test_a_field_that_is_not_given_may_come(target: Callable[..., Any], tmp_path: Path) -> None:
    """Nobody's configuration is wrong: others keep what the source holds. A gateway starts without it."""
    source = sourced(target({"bearer": "${from:key}", "from": VAULT}), tmp_path, Given({"other": "planted-1"}))
    with pytest.raises(CredentialDelayed, match="gives no field 'key'"):
        await source.obtain()


async def test_what_is_shown_to_the_source_may_change(target: Callable[..., Any], tmp_path: Path) -> None:
    """What was had stays good; only where nothing was had is another file a reason to ask again."""
    (tmp_path / "vault.token").write_text("planted-1")
    given = Given({"token": "planted-2"})
    source = sourced(target({"from": VAULT}), tmp_path, given)
    await source.obtain()
    (tmp_path / "vault.token").write_text("planted-other")
    assert not source.changed()
    given.failure = CredentialDelayed("no")
    with pytest.raises(CredentialDelayed):
        await source.obtain()
    assert not source.changed()
    (tmp_path / "vault.token").write_text("planted-once-more")
    assert source.changed()
