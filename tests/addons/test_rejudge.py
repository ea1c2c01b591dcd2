"""Law: what is no longer allowed does not go on, however long ago it began; what still is goes on untouched."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from addons.calls import need
from addons.rejudge import Rejudge
from addons.runtime import Runtime
from gatehold.ruling import InForce
from policy.codes import Code
from policy.errors import Refusal
from policy.model import (
    Agent,
    ApprovalObligation,
    Decision,
    Family,
    MaskObligation,
    Obligations,
    PathOptions,
    TargetName,
    TargetTraits,
    Verdict,
)
from recordings.listing import rows
from tests.addons.support import AGENT, make_flow, sealed


class Verifier:
    """Says whether a token counts."""

    def __init__(self, agent: Agent | None) -> None:
        self.agent = agent

    def verify_cached(self, _token: str) -> Agent | None:
        return self.agent

    async def verify(self, _token: str) -> Agent:
        raise Refusal(Code.UNAUTHENTICATED, "gone", reason="unknown-key")


class Engine:
    """Decides as it is told; limits are not asked about again."""

    def __init__(self, decision: Decision | Exception, traits: TargetTraits | None = None) -> None:
        self.decision = decision
        self.targets = {} if traits is None else {traits.name: traits}
        self.revision = decision.revision if isinstance(decision, Decision) else "r1"

    def rule_hash(self, name: str) -> str:
        """Every rule is another one in every revision, but for one."""
        return name if name == "lasting" else f"{name} {self.revision}"

    def decide(self, *_call: object, limits: object, **_more: object) -> Decision:
        assert limits is None
        if isinstance(self.decision, Exception):
            raise self.decision
        return self.decision


def allowed(**obligations: Any) -> Decision:
    return Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, obligations=Obligations(**obligations), revision="r1")


APPROVAL = ApprovalObligation(groups=(frozenset({"sre"}),), rules=("ask",))
HELD = replace(allowed(approval=APPROVAL), verdict=Verdict.HOLD, code=Code.APPROVAL_REQUIRED)
DENIED = Decision(verdict=Verdict.DENY, code=Code.DENIED_BY_RULE)


@pytest.fixture
def turned(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """One turn over one open stream; gives why it was cut, or nothing."""

    async def turn(
        now: Decision | Exception,
        *,
        before: Decision | None = None,
        agent: Agent | None = AGENT,
        approval: str = "",
        grants: tuple[str, ...] = (),
        traits: tuple[TargetTraits, TargetTraits] | tuple[None, None] = (None, None),
    ) -> list[str]:
        flow, cuts = make_flow(), list[str]()
        call = sealed(runtime, flow)
        call.token, call.decision, call.approval = "t", allowed() if before is None else before, approval or None
        call.grants = grants
        monkeypatch.setattr(runtime.gateway, "verifier", Verifier(agent))
        ruling = runtime.gateway.ruling
        call.ruling = replace(ruling, engine=cast("Any", Engine(call.decision, traits[0])))
        other = replace(ruling, engine=cast("Any", Engine(now, traits[1])))
        monkeypatch.setattr(runtime.gateway, "in_force", InForce(other))
        runtime.open_streams.add(call, flow, cuts.append, lambda _: None)
        await Rejudge(runtime).turn()
        assert bool(runtime.open_streams.all()) is not bool(cuts)
        runtime.open_streams.remove(flow)
        return cuts

    return turn


async def test_what_is_allowed_goes_on(turned: Callable[..., Any]) -> None:
    """Also where the policy was changed around it, and where a person's yes was spent."""
    assert not await turned(allowed())
    assert not await turned(replace(allowed(), revision="r2"))
    assert not await turned(HELD, before=HELD, approval="apr_1")
    lasting = replace(HELD, obligations=Obligations(approval=replace(APPROVAL, rules=("lasting",))))
    assert not await turned(replace(lasting, revision="r2"), before=lasting, approval="apr_1")


@pytest.mark.parametrize("stands", [True, False])
async def test_a_stream_ends_with_its_grant(
    turned: Callable[..., Any], runtime: Runtime, monkeypatch: pytest.MonkeyPatch, stands: bool
) -> None:
    """One that a grant let in, and one whose yes left it."""
    asked = list[tuple[str, ...]]()

    class Desk:
        def still_granted(self, ids: tuple[str, ...]) -> bool:
            asked.append(ids)
            return stands

    monkeypatch.setattr(runtime.gateway, "desk", Desk())
    for approval in ("", "apr_1"):
        cuts = await turned(HELD, before=HELD, approval=approval, grants=("gr_1",))
        assert cuts == ([] if stands else ["the grant ended"])
    assert asked == [("gr_1",)] * 2


async def test_what_is_not_is_cut(turned: Callable[..., Any], runtime: Runtime) -> None:
    """By token, by rule, by a mask or an approval that came to it; whatever cannot be judged as well."""
    assert "token" in (await turned(allowed(), agent=None))[0]
    assert await turned(DENIED)
    assert await turned(allowed(mask=MaskObligation(profiles=("pii",))))
    assert await turned(HELD)
    assert await turned(replace(HELD, revision="r2"), before=HELD, approval="apr_1")
    assert await turned(ValueError("planted"))
    reasons = [row.message for row in rows(runtime.gateway.configuration.data_dir) if row.kind == "governance"]
    assert len(reasons) == 6
    assert need(reasons)[0].endswith("the agent's token does not count any more")


async def test_what_is_understood_otherwise_is_cut(turned: Callable[..., Any], runtime: Runtime) -> None:
    """What was read of the request was read by other rules of reading: it may be about something else now."""
    traits = runtime.gateway.ruling.engine.targets[TargetName("crm")]
    other = replace(traits, paths=PathOptions(case_insensitive=True))
    assert not await turned(allowed(), traits=(traits, replace(traits, mask=("pii",))))
    for now in (other, replace(traits, family=Family.KUBERNETES)):
        assert await turned(allowed(), traits=(traits, now)) == ["calls to this target are understood otherwise now"]


async def test_what_cannot_be_recorded_ends(turned: Callable[..., Any], runtime: Runtime) -> None:
    """Also a stream in which nothing is said; a queue that was full for a moment ends nothing."""
    cuts, flow = list[str](), make_flow()
    call = sealed(runtime, flow)
    call.token = "t"
    runtime.open_streams.add(call, flow, cuts.append, lambda _: None)
    await runtime.gateway.recorder.stop()
    rejudge = Rejudge(runtime)
    rejudge._blind = 0
    assert not rejudge._unrecorded()
    assert rejudge._unrecorded() == "it cannot be recorded any more"


async def test_a_late_view_of_the_revoked_ends_nothing_at_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stays away does."""

    class Unsure(Verifier):
        async def verify(self, _token: str) -> Agent:
            raise Refusal(Code.GATEWAY_ERROR, "it cannot be told")

    cuts, flow = list[str](), make_flow()
    call = sealed(runtime, flow)
    call.token, call.decision = "t", allowed()
    decided = replace(runtime.gateway.ruling, engine=cast("Any", Engine(allowed())))
    monkeypatch.setattr(runtime.gateway, "in_force", InForce(decided))
    runtime.open_streams.add(call, flow, cuts.append, lambda _: None)
    rejudge = Rejudge(runtime)
    for agent in (None, None, AGENT, None, None):
        monkeypatch.setattr(runtime.gateway, "verifier", Unsure(agent))
        await rejudge.turn()
        assert not cuts
    await rejudge.turn()
    assert len(cuts) == 1
