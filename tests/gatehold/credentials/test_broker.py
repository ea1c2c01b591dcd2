"""One current credential for each target, whoever asks and whenever."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.broker import CredentialBroker
from gatehold.credentials.holding import CHECK_INTERVAL, FORMER, LEAST_LIFE, MAX_BACKOFF
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.recipes import Recipe
from gatehold.credentials.sources import CredentialDelayed
from policy.codes import Code
from policy.errors import Refusal
from policy.model import TargetName

CRM = TargetName("crm")
BOUND = origins("https", [("crm.corp.example", 443)])


@dataclass
class Source:
    """Gives tokens ``planted-1``, ``planted-2`` ... for so long, or fails as the test says."""

    clock: Callable[[], float]
    life: float | None = None
    failure: Exception | None = None
    other: bool = False
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def obtain(self) -> Injection:
        self.asked += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure
        self.other = False
        secret = Secret(f"planted-{self.asked}")
        ends = None if self.life is None else self.clock() + self.life
        return Injection(bound=BOUND, headers=(("X-Key", secret),), secrets=(secret,), expires_at=ends)

    def changed(self) -> bool:
        return self.other


@pytest.fixture
def source(clock: Any) -> Source:
    return Source(clock)


@pytest.fixture
def broker(
    source: Source, target: Callable[..., Any], clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CredentialBroker:
    """A broker whose target ``crm`` has that source, and whose target ``open`` has no credential."""
    recipe = Recipe(make=lambda asker: source)
    monkeypatch.setattr(
        "gatehold.credentials.broker.recipe_of", lambda target, keys, having: recipe if target.name == "crm" else None
    )
    targets = {"crm": target({"bearer": "x"}), "open": target(None, "open")}
    return CredentialBroker(targets, data_dir=tmp_path, clock=clock, monotonic=clock)


async def settled() -> None:
    """Let tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_fetched_once_then_at_hand(broker: CredentialBroker, source: Source) -> None:
    """The first call waits, all others find it."""
    assert broker.get_cached(CRM) is None
    injection = await broker.get(CRM)
    assert broker.get_cached(CRM) is injection
    assert await broker.get(CRM) is injection
    assert source.asked == 1


async def test_a_crowd_causes_one_fetch(broker: CredentialBroker, source: Source) -> None:
    """One of them giving up changes nothing for the others."""
    source.gate.clear()
    crowd = [asyncio.create_task(broker.get(CRM)) for _ in range(50)]
    await settled()
    crowd[0].cancel()
    await settled()
    source.gate.set()
    assert len({id(injection) for injection in await asyncio.gather(*crowd[1:])}) == 1
    assert source.asked == 1


async def test_no_call_waits_for_ever(
    broker: CredentialBroker, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused in the end; the fetch goes on for those who come later."""
    monkeypatch.setattr("gatehold.credentials.holding.MAX_WAIT", 0.01)
    source.gate.clear()
    with pytest.raises(Refusal, match="not in time"):
        await broker.get(CRM)
    source.gate.set()
    await settled()
    assert broker.get_cached(CRM) is not None
    assert source.asked == 1


async def test_targets_without_a_credential(broker: CredentialBroker) -> None:
    """Have an empty one, bound like any other."""
    injection = broker.get_cached(TargetName("open"))
    assert injection is not None
    assert (injection.headers, injection.secrets) == ((), ())
    assert injection.may_go_to("https", "open.corp.example", 443)
    assert await broker.get(TargetName("open")) is injection


async def test_unknown_targets_are_refused(broker: CredentialBroker) -> None:
    """Never an empty credential by mistake."""
    assert broker.get_cached(TargetName("nobody")) is None
    with pytest.raises(Refusal, match="no such target"):
        await broker.get(TargetName("nobody"))


async def test_renewal_beside_the_traffic(broker: CredentialBroker, source: Source, clock: Any) -> None:
    """With a fifth of its life left it is fetched anew, once, while calls go on with the old one."""
    source.life = 600.0
    first = await broker.get(CRM)
    clock.now += 479
    assert broker.get_cached(CRM) is first
    await settled()
    assert source.asked == 1
    clock.now += 2
    source.gate.clear()
    assert broker.get_cached(CRM) is broker.get_cached(CRM) is first
    source.gate.set()
    await settled()
    assert source.asked == 2
    assert broker.get_cached(CRM) is not first


async def test_never_used_at_its_very_end(broker: CredentialBroker, source: Source, clock: Any) -> None:
    """If it cannot be renewed it serves until shortly before it ends; then calls are refused."""
    source.life = 600.0
    first = await broker.get(CRM)
    source.failure = CredentialDelayed("the source is down")
    clock.now += 500
    assert broker.get_cached(CRM) is first
    await settled()
    clock.now += 69
    assert await broker.get(CRM) is first
    await settled()
    clock.now += 2
    assert broker.get_cached(CRM) is None
    with pytest.raises(Refusal, match="the source is down"):
        await broker.get(CRM)


async def test_an_expired_credential_is_none(broker: CredentialBroker, source: Source) -> None:
    """A source that gives what is over gives nothing."""
    source.life = -1.0
    with pytest.raises(Refusal, match="it has expired"):
        await broker.get(CRM)


async def test_files_that_change_are_noticed_within_a_second(
    broker: CredentialBroker, source: Source, clock: Any
) -> None:
    """Looked at once a second at most; from then on the old one is not used, even if the new one cannot be had."""
    first = await broker.get(CRM)
    source.other = True
    assert broker.get_cached(CRM) is first
    clock.now += CHECK_INTERVAL
    assert broker.get_cached(CRM) is None
    second = await broker.get(CRM)
    assert second is not first
    source.other, source.failure = True, CredentialUnavailable("gone")
    clock.now += CHECK_INTERVAL
    for _ in range(3):
        with pytest.raises(Refusal, match="gone"):
            await broker.get(CRM)
        assert broker.get_cached(CRM) is None
        clock.now += CHECK_INTERVAL


async def test_failures_pause_longer_each_time(broker: CredentialBroker, source: Source, clock: Any) -> None:
    """In a pause calls are refused at once, with the time to come again; a success ends it all."""
    source.failure = CredentialDelayed("down")
    pauses = []
    for _ in range(9):
        with pytest.raises(Refusal) as refusal:
            await broker.get(CRM)
        asked = source.asked
        with pytest.raises(Refusal):
            await broker.get(CRM)
        assert source.asked == asked
        pauses.append(refusal.value.retry_after)
        clock.now += refusal.value.retry_after or 0
    assert pauses == [1, 2, 4, 8, 16, 32, MAX_BACKOFF, MAX_BACKOFF, MAX_BACKOFF]
    source.failure = None
    assert await broker.get(CRM)
    assert broker.get_cached(CRM) is not None


async def test_a_repaired_file_ends_the_pause(broker: CredentialBroker, source: Source) -> None:
    """Nobody waits a minute for what is there again."""
    source.failure = CredentialUnavailable("gone")
    with pytest.raises(Refusal):
        await broker.get(CRM)
    source.failure, source.other = None, True
    assert await broker.get(CRM)


async def test_refusals_name_the_target_and_no_secret(
    broker: CredentialBroker, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """The agent learns which target, the audit trail why; the log says it once."""
    caplog.set_level(logging.DEBUG)
    source.failure = CredentialUnavailable("${env:CRM_TOKEN} is not set")
    for _ in range(3):
        with pytest.raises(Refusal) as refusal:
            await broker.get(CRM)
    assert refusal.value.code is Code.CREDENTIAL_UNAVAILABLE
    assert refusal.value.detail == "The credential of target crm cannot be had."
    assert refusal.value.reason == "credential of crm: ${env:CRM_TOKEN} is not set"
    assert [record.levelname for record in caplog.records if record.name.startswith("gatehold")] == ["WARNING"]


async def test_what_is_missing_at_start_is_told_but_not_what_may_come(
    broker: CredentialBroker, source: Source, clock: Any
) -> None:
    """``prepare`` fetches all, and names what only the configuration's author can repair."""
    source.failure = CredentialDelayed("down")
    assert await broker.prepare() == ()
    source.failure = CredentialUnavailable("${env:CRM_TOKEN} is not set")
    assert await broker.prepare() == ("target crm: ${env:CRM_TOKEN} is not set",)
    source.failure = None
    assert await broker.prepare() == ()
    assert broker.get_cached(CRM) is not None


async def test_a_start_waits_for_nobody_for_ever(
    broker: CredentialBroker, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that hangs keeps its own target waiting, and gives what it gives later."""
    monkeypatch.setattr("gatehold.credentials.broker.START_WAIT", 0.01)
    source.gate.clear()
    assert await broker.prepare() == ()
    assert broker.get_cached(CRM) is None
    source.gate.set()
    await settled()
    assert broker.get_cached(CRM) is not None


async def test_what_a_source_raises_is_no_reason_to_ask_with_every_call(
    broker: CredentialBroker, source: Source, clock: Any
) -> None:
    """A fault of a source's own counts as a failure; its text, which may hold anything, is not repeated."""
    source.failure = OverflowError("planted")
    for _ in range(3):
        with pytest.raises(Refusal) as refused:
            await broker.get(CRM)
        assert refused.value.code is Code.CREDENTIAL_UNAVAILABLE
        assert "OverflowError" in refused.value.reason
        assert "planted" not in refused.value.reason
    assert source.asked == 1


async def test_what_hardly_lives_is_not_asked_for_with_every_call(
    broker: CredentialBroker, source: Source, clock: Any
) -> None:
    """Of a token that ends at once there would be one for each call."""
    source.life = LEAST_LIFE / 2
    for _ in range(3):
        with pytest.raises(Refusal, match="it has expired"):
            await broker.get(CRM)
    assert source.asked == 1


async def test_known_secrets_follow_the_credentials(broker: CredentialBroker, source: Source, clock: Any) -> None:
    """Those in use and those just replaced, in all spellings; one object until something changes."""
    assert broker.known_secrets() == ()
    await broker.get(CRM)
    known = broker.known_secrets()
    assert b"planted-1" in known
    assert broker.known_secrets() is known
    # A credential that is fetched anew and is the same changes nothing.
    source.asked -= 1
    source.other = True
    clock.now += CHECK_INTERVAL
    await broker.get(CRM)
    assert broker.known_secrets() is known
    for _ in range(2):
        source.other = True
        clock.now += CHECK_INTERVAL
        await broker.get(CRM)
    assert {b"planted-3", b"planted-2"} <= set(broker.known_secrets())
    assert b"planted-1" in broker.known_secrets()
    for _ in range(FORMER):
        source.other = True
        clock.now += CHECK_INTERVAL
        await broker.get(CRM)
    assert b"planted-1" not in broker.known_secrets()


async def test_closing_forgets(broker: CredentialBroker, source: Source) -> None:
    """Nothing is left running, nothing is left to tell."""
    await broker.get(CRM)
    source.other = True
    source.gate.clear()
    await broker.close()
    assert broker.get_cached(CRM) is None
    assert broker.known_secrets() == ()


async def test_closing_ends_a_fetch(broker: CredentialBroker, source: Source) -> None:
    """Whoever waits for it is not left hanging."""
    source.gate.clear()
    waiting = asyncio.create_task(broker.get(CRM))
    await settled()
    await broker.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_real_targets_end_to_end(
    target: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """From configuration to injection; planted values are in no repr, refusal or log line."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CRM_TOKEN", "planted-crm-value")
    (tmp_path / "token").write_text("planted-cluster-value")
    targets = {
        "crm": target({"header": "X-Key", "value": "${env:CRM_TOKEN}"}, hosts=["a.example:443", "[::1]:8443"]),
        "main": target({"kubernetes": {"tokenFile": "token"}}, "main"),
        "bad": target({"bearer": "planted-literal ${env:NOT_SET_ANYWHERE}"}, "bad"),
    }
    broker = CredentialBroker(targets, data_dir=tmp_path)
    assert await broker.prepare() == ("target bad: ${env:NOT_SET_ANYWHERE} is not set",)
    crm, main = await broker.get(CRM), await broker.get(TargetName("main"))
    assert crm.may_go_to("https", "::1", 8443)
    assert not crm.may_go_to("https", "main.corp.example", 443)
    assert main.headers[0][1].reveal() == "Bearer planted-cluster-value"
    with pytest.raises(Refusal) as refusal:
        await broker.get(TargetName("bad"))
    shown = f"{broker!r} {broker.__dict__!r} {crm!r} {main!r} {refusal.value!r} {refusal.value.detail} {caplog.text}"
    assert not re.search("planted", shown)
    with pytest.raises(TypeError):
        json.dumps(crm.headers)
    assert {b"planted-crm-value", b"planted-cluster-value"} <= set(broker.known_secrets())
    await broker.close()


async def test_a_connection_keeps_what_its_call_was_given(broker: CredentialBroker, source: Source, clock: Any) -> None:
    """A source that changed between a call and its connection takes nothing from it: calls after it are asked anew."""
    assert broker.in_use(CRM) is None
    given = await broker.get(CRM)
    source.other = True
    clock.now += CHECK_INTERVAL + 1
    assert broker.get_cached(CRM) is None
    assert broker.in_use(CRM) is given
    assert await broker.get(CRM) is broker.in_use(CRM) is not given
    assert broker.in_use(TargetName("nobody")) is None
