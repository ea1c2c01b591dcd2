"""Demands of several rules, joined."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy.model import DlpObligation, Family, MaskObligation, SessionObligation, TargetName, TargetTraits
from policy.rules.compiler import Surroundings, compile_rules
from policy.rules.obligations import combine_approvals, combine_dlp, combine_limits, combine_masks, combine_sessions
from policy.rules.rule import Rule
from policy.rules.schema import PolicyDocument

PLAIN = TargetTraits(name=TargetName("t"), family=Family.HTTP)
MASKED = TargetTraits(name=TargetName("t"), family=Family.HTTP, mask=("secrets",), on_unmaskable="drop")
SEARCHED = TargetTraits(
    name=TargetName("t"), family=Family.HTTP, dlp=DlpObligation(profiles=("secrets",), action="mask")
)
UNMASKABLE = ("block", "drop", "pass")


def rules(*terms: dict[str, Any]) -> list[Rule]:
    specs = [{"name": f"r{at}", "effect": "allow", "http": {}, **term} for at, term in enumerate(terms)]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    document = PolicyDocument.model_validate({**head, "rules": specs})
    return list(compile_rules([document], Surroundings(targets={})).rules)


masks = st.fixed_dictionaries(
    {"profiles": st.lists(st.sampled_from(("pii", "pci", "vip")), min_size=1, max_size=2)},
    optional={"onUnmaskable": st.sampled_from(UNMASKABLE)},
)
approvals = st.fixed_dictionaries(
    {
        "groups": st.lists(st.sampled_from(("sre", "lead", "audit")), min_size=1, max_size=2),
        "grant": st.sampled_from(("5m", "1h")),
    },
    optional={"count": st.integers(1, 3), "scope": st.sampled_from(("request", "resource", "rule"))},
)


@given(st.lists(masks, max_size=4), st.sampled_from((PLAIN, MASKED)))
def test_masks(found: list[dict[str, Any]], target: TargetTraits) -> None:
    """The union of all profiles, and the strictest handling of what cannot be masked; nothing for nothing."""
    joined = combine_masks(target, rules({"limit": {"rate": "1/day"}}, *({"mask": mask} for mask in found)))
    handling = [mask.get("onUnmaskable", "block") for mask in found] + (["drop"] if target.mask else [])
    assert set(joined.profiles) == {profile for mask in found for profile in mask["profiles"]} | set(target.mask)
    assert list(joined.profiles) == sorted(set(joined.profiles))
    assert joined.on_unmaskable == (min(handling, key=UNMASKABLE.index) if handling else "block")
    if not handling:
        assert joined == MaskObligation()


searches = st.fixed_dictionaries(
    {"profiles": st.lists(st.sampled_from(("pii", "pci", "vip")), min_size=1, max_size=2)},
    optional={"action": st.sampled_from(("block", "mask"))},
)


@given(st.lists(searches, max_size=4), st.sampled_from((PLAIN, SEARCHED)))
def test_searches_of_requests(found: list[dict[str, Any]], target: TargetTraits) -> None:
    """The union of all profiles; one that blocks makes all of them block; nothing for nothing."""
    joined = combine_dlp(target, rules({"limit": {"rate": "1/day"}}, *({"dlp": dlp} for dlp in found)))
    own = [{"profiles": target.dlp.profiles, "action": target.dlp.action}] if target.dlp else []
    every = [*found, *own]
    if not every:
        assert joined is None
        return
    assert joined is not None
    assert list(joined.profiles) == sorted({profile for dlp in every for profile in dlp["profiles"]})
    assert (joined.action == "block") is any(dlp.get("action", "block") == "block" for dlp in every)


@given(st.lists(approvals, min_size=1, max_size=4))
def test_approvals(found: list[dict[str, Any]]) -> None:
    """Every rule's set of groups has to be satisfied, by the largest count, for the shortest and narrowest grant."""
    asking = rules({"mask": {"profiles": ["pii"]}}, *({"approval": approval} for approval in found))
    joined = combine_approvals(asking, ["", *("why" for _ in found)])
    assert joined is not None
    assert {frozenset(approval["groups"]) for approval in found} == set(joined.groups)
    assert len(set(joined.groups)) == len(joined.groups)
    assert joined.count == max(approval.get("count", 1) for approval in found)
    assert joined.grant == min({"5m": 300.0, "1h": 3600.0}[approval["grant"]] for approval in found)
    order = ("request", "resource", "rule")
    assert joined.scope == min((approval.get("scope", "request") for approval in found), key=order.index)
    assert joined.rules == tuple(rule.name for rule in asking[1:])
    assert joined.message == "why"


def test_one_approval_without_a_grant_leaves_none() -> None:
    """No grant is the shortest."""
    asking = rules({"approval": {"groups": ["a"], "grant": "1h"}}, {"approval": {"groups": ["b"]}})
    joined = combine_approvals(asking, ["", ""])
    assert joined is not None
    assert joined.grant is None


def test_nothing_asked() -> None:
    """Without terms there is no approval, and there are no limits."""
    assert combine_approvals(rules({}), [""]) is None
    assert combine_limits(rules({})) == ()
    assert [limit.unit for limit in combine_limits(rules({"limit": {"rate": "1/day", "calls": "2/day"}}))] == [
        "rate",
        "calls",
    ]


sessions = st.sampled_from(({"max": "8h"}, {"idle": "30m"}, {"max": "1h", "idle": "45m"}, {"max": "2h", "idle": "1m"}))
SECONDS = {"8h": 28800.0, "30m": 1800.0, "1h": 3600.0, "45m": 2700.0, "2h": 7200.0, "1m": 60.0}


@given(st.lists(sessions, max_size=4))
def test_sessions(found: list[dict[str, str]]) -> None:
    """The shortest of each bound, whoever states it; nothing for nothing."""
    turnstiles = [{"effect": "constrain", "session": session} for session in found]
    joined = combine_sessions(rules({"limit": {"rate": "1/day"}}, *turnstiles))
    if not found:
        assert joined is None
        return
    least = [min((SECONDS[each[key]] for each in found if key in each), default=None) for key in ("max", "idle")]
    assert joined == SessionObligation(longest=least[0], idle=least[1])
