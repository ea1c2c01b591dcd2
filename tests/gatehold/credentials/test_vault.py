"""Law: a secret of a Vault is read by one sign-in for all of them, which is renewed while it lasts, made anew when it is
over, and never the reason for a storm of sign-ins; what Vault says of a failure is told by its meaning."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.credential_sources import VaultSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.sources import CredentialDelayed
from gatehold.credentials.vault import VaultSource
from gatehold.credentials.vault_login import VaultLogins
from gatehold.demo.serving import RunningServer, serve
from tests.gatehold.credentials.clocks import Clock
from tests.gatehold.credentials.doubles.vault import VaultDouble

APPROLE = {"approle": {"roleId": "planted-role-id", "secretId": "${file:secret-id}"}}
LOGIN = "POST /v1/auth/approle/login"
READ = "GET /v1/secret/data/crm/prod"
LOOKUP = "GET /v1/auth/token/lookup-self"
RENEW = "POST /v1/auth/token/renew-self"


@pytest.fixture
def vault(clock: Clock, tmp_path: Path) -> VaultDouble:
    (tmp_path / "secret-id").write_text("planted-secret-id\n")
    (tmp_path / "pod-token").write_text("planted.pod.token\n")
    return VaultDouble(
        clock=clock,
        roles={"planted-role-id": "planted-secret-id"},
        accounts={"gateway": "planted.pod.token"},
        secrets={
            "secret/crm/prod": [{"key": "planted-old"}, {"key": "planted-new", "number": 7, "more": {"a": "b"}}],
            "secret/other": [{"key": "planted-other"}],
        },
    )


@pytest.fixture
def running(vault: VaultDouble) -> Iterator[RunningServer]:
    with serve(vault.app()) as server:
        yield server


type Make = Callable[..., VaultSource]


@pytest.fixture
def make(running: RunningServer, clock: Clock, tmp_path: Path) -> Make:
    """Makes sources of one gateway; keywords are keys of the configuration."""
    logins = VaultLogins(clock)

    def source(**keys: Any) -> VaultSource:
        document = {"address": running.url, "auth": APPROLE, "path": "crm/prod"} | keys
        spec = VaultSpec.model_validate(document, context={"base": str(tmp_path)})
        return VaultSource(spec, logins.of(spec), clock)

    return source


async def read(source: VaultSource) -> dict[str, str]:
    fields = await source.obtain(None)
    return {name: value.reveal() for name, value in fields.values.items()}


async def test_texts_are_fields(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """Of the newest version; they are used for as long as the configuration says."""
    source = make(refresh="2m")
    assert await read(source) == {"key": "planted-new"}
    assert (await source.obtain(None)).expires_at == clock.now + 120
    assert vault.asked == [LOGIN, READ, READ]


async def test_another_version_and_place(make: Make, vault: VaultDouble) -> None:
    """Mounts and paths are what they are, escaped where Vault's API needs it."""
    assert await read(make(version=1)) == {"key": "planted-old"}
    vault.secrets["kv/a b/ü?x"] = [{"key": "planted-odd"}]
    assert await read(make(mount="kv", path="a b/ü?x")) == {"key": "planted-odd"}
    assert vault.asked[1] == f"{READ}?version=1"


async def test_one_sign_in_for_all_secrets(make: Make, vault: VaultDouble) -> None:
    """However many are asked for at the same time."""
    sources = [make() for _ in range(5)] + [make(path="other")]
    await asyncio.gather(*(source.obtain(None) for source in sources))
    assert vault.asked.count(LOGIN) == 1


async def test_ways_to_sign_in(make: Make, vault: VaultDouble, tmp_path: Path) -> None:
    """AppRole at another mount, the pod's own token, a token that somebody else keeps alive: read when it is needed."""
    assert await read(make(auth={"approle": APPROLE["approle"] | {"mount": "team/approle"}}))
    assert await read(make(auth={"kubernetes": {"role": "gateway", "tokenFile": "pod-token"}}))
    known = list(vault.tokens)
    (tmp_path / "agent-token").write_text(known[0])
    source = make(auth={"token": "${file:agent-token}"})
    assert await read(source)
    del vault.tokens[known[0]]
    with pytest.raises(CredentialDelayed, match="answers 403"):
        await source.obtain(None)
    (tmp_path / "agent-token").write_text(known[1])
    assert await read(source)
    assert [line for line in vault.asked if "login" in line] == [
        "POST /v1/auth/team/approle/login",
        "POST /v1/auth/kubernetes/login",
    ]


async def test_namespaces(make: Make, vault: VaultDouble) -> None:
    """Named on everything that is asked."""
    vault.namespace = "team/a"
    assert await read(make(namespace="team/a"))
    with pytest.raises(CredentialDelayed, match="404"):
        await make().obtain(None)


async def test_a_sign_in_is_renewed_in_time(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """After two thirds of its life; near its greatest age, when Vault gives no more, there is another one."""
    vault.lease, vault.longest = 900.0, 1700.0
    source = make()
    await source.obtain(None)
    clock.now += 599
    await source.obtain(None)
    assert RENEW not in vault.asked
    clock.now += 2
    await source.obtain(None)
    assert (vault.asked.count(RENEW), vault.asked.count(LOGIN)) == (1, 1)
    clock.now += 700
    await source.obtain(None)
    clock.now += 300
    await source.obtain(None)
    assert vault.asked.count(LOGIN) == 2


async def test_a_sign_in_that_is_not_renewable(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """Batch tokens: another one in time."""
    vault.renewable = False
    source = make()
    await source.obtain(None)
    clock.now += 2500
    await source.obtain(None)
    assert (vault.asked.count(RENEW), vault.asked.count(LOGIN)) == (0, 2)


async def test_a_renewal_that_is_refused(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """The token was revoked meanwhile: another one, without a call that fails."""
    source = make()
    await source.obtain(None)
    vault.revoke_all()
    clock.now += 2500
    assert await read(source) == {"key": "planted-new"}
    assert vault.asked[2:] == [RENEW, LOGIN, READ]


async def test_a_token_without_an_end(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """Vault writes 0: it is neither renewed nor replaced."""
    vault.lease = 0.5
    source = make()
    await source.obtain(None)
    for token in vault.tokens.values():
        token.ends_at = 1e12
    clock.now += 1e6
    await source.obtain(None)
    assert vault.asked == [LOGIN, READ, READ]


async def test_what_is_no_secret_of_version_2(make: Make, vault: VaultDouble) -> None:
    """What another engine would answer at the same path."""
    vault.secrets["secret/crm/prod"] = [["planted"]]  # type: ignore[list-item]  # the double takes anything
    with pytest.raises(CredentialDelayed, match="no secret of a KV engine, version 2"):
        await make().obtain(None)


async def test_a_token_that_was_revoked_is_replaced_at_once(make: Make, vault: VaultDouble) -> None:
    """The call that finds out has its secret all the same."""
    source = make()
    await source.obtain(None)
    vault.revoke_all()
    assert await read(source) == {"key": "planted-new"}
    assert vault.asked[2:] == [READ, LOOKUP, LOGIN, READ]


async def test_many_find_out_at_once(make: Make, vault: VaultDouble) -> None:
    """They sign in once."""
    sources = [make(), make(path="other")] * 5
    await asyncio.gather(*(source.obtain(None) for source in sources))
    vault.revoke_all()
    await asyncio.gather(*(source.obtain(None) for source in sources))
    assert vault.asked.count(LOGIN) == 2


async def test_what_the_policies_forbid_is_no_reason_to_sign_in(make: Make, vault: VaultDouble) -> None:
    """The token is good: another one would see no more."""
    vault.forbidden.add("secret/crm/prod")
    source = make()
    for _ in range(3):
        with pytest.raises(CredentialDelayed, match="policies do not let the gateway read"):
            await source.obtain(None)
    assert vault.asked.count(LOGIN) == 1


async def test_what_is_not_there(make: Make, vault: VaultDouble) -> None:
    """No such path, a version that was deleted, one that never was."""
    vault.secrets["secret/crm/prod"][0] = None
    for source in (make(path="nowhere"), make(version=1), make(version=9)):
        with pytest.raises(CredentialDelayed, match=r"404 .*no such secret"):
            await source.obtain(None)


async def test_a_sealed_vault(make: Make, vault: VaultDouble) -> None:
    """Told as that, whether the gateway was signed in before or not; it goes on when it is unsealed."""
    vault.sealed = True
    source = make()
    for _ in range(2):
        with pytest.raises(CredentialDelayed, match=r"503 .*sealed"):
            await source.obtain(None)
        vault.sealed = False
        assert await read(source)
        vault.sealed = True


async def test_a_sign_in_that_fails_fails_for_all_who_wait(make: Make, vault: VaultDouble) -> None:
    """One after the other they would wait for a Vault that hangs as often as there are secrets in it."""
    vault.sealed = True
    told = await asyncio.gather(*(make().obtain(None) for _ in range(5)), return_exceptions=True)
    assert {type(each) for each in told} == {CredentialDelayed}
    assert vault.asked == [LOGIN]


async def test_a_life_beyond_all_bounds(make: Make, vault: VaultDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that no clock can count is a long time."""
    auth = vault._auth
    monkeypatch.setattr(vault, "_auth", lambda token: auth(token) | {"lease_duration": 10**400})
    source = make()
    for _ in range(2):
        assert await read(source) == {"key": "planted-new"}
    assert vault.asked == [LOGIN, READ, READ]


async def test_a_proof_that_is_not_taken(make: Make, vault: VaultDouble, tmp_path: Path) -> None:
    """Wrong, or missing: told without it; the right one counts as soon as it is there."""
    source = make()
    (tmp_path / "secret-id").write_text("planted-wrong")
    with pytest.raises(CredentialDelayed, match="takes no sign-in") as told:
        await source.obtain(None)
    assert "planted" not in str(told.value)
    (tmp_path / "secret-id").unlink()
    with pytest.raises(CredentialUnavailable, match="No such file"):
        await source.obtain(None)
    (tmp_path / "secret-id").write_text("planted-secret-id")
    assert await read(source)


@pytest.mark.parametrize(
    "auth",
    [None, {}, {"client_token": "", "lease_duration": 1}, {"client_token": "t", "lease_duration": -1},
     {"client_token": "t", "lease_duration": "1"}, {"client_token": 1, "lease_duration": 1}],
)  # fmt: skip
async def test_a_sign_in_that_is_none(
    make: Make, vault: VaultDouble, monkeypatch: pytest.MonkeyPatch, auth: dict[str, Any] | None
) -> None:
    """Whatever else comes with 200."""
    monkeypatch.setattr(vault, "_auth", lambda token: auth)
    with pytest.raises(CredentialDelayed, match="its answer is no answer of Vault"):
        await make().obtain(None)


async def test_nothing_is_shown(make: Make, vault: VaultDouble, clock: Clock) -> None:
    """Not in the repr of what holds it."""
    source = make()
    fields = await source.obtain(None)
    assert "planted" not in f"{source!r} {vars(source)!r} {vars(source._login)!r} {fields!r}"
