"""Access that is asked for before there is a call: what people are asked, and what their yes leaves. Pure.

It satisfies the approvals of rules that would ask, and never adds an allow. Nothing goes beyond what those rules leave
behind themselves: not their duration, not their scope. A rule that asks for every call by itself cannot be asked in
advance.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from gatehold.approvals.approvers import Quorum, people_behind
from gatehold.approvals.model import Fingerprint, GrantTerms, HeldCall, Kind, RuleRef
from policy.access import Wish
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, ApprovalObligation, Family
from policy.rules.obligations import combine_approvals
from policy.rules.quantities import format_duration
from policy.rules.rule import Rule

METHOD: Final = "ACCESS"
"""What stands in place of a method."""

_DOMAIN: Final = b"gatehold access 1"


def question(  # noqa: PLR0913 (who asks for what, why, and by which rules)
    agent: Agent,
    wish: Wish,
    rules: Sequence[Rule],
    *,
    family: Family,
    seconds: float,
    longest: float,
    justification: str,
    purpose: str = "",
    key: bytes,
) -> HeldCall:
    """The question to people. ``justification`` and ``purpose``: masked. Raises Refusal where it cannot be asked."""
    obligation = combine_approvals(rules, []) if agent.session else None
    if obligation is None:
        raise Refusal(Code.DEFAULT_DENY, "No rule asks for an approval of such calls of yours.")
    terms = _terms(wish, obligation, family, seconds, longest)
    references = tuple(RuleRef(name=rule.name, digest=rule.hash) for rule in rules)
    facts = _facts(wish, seconds, justification)
    return HeldCall(
        kind=Kind.ACCESS,
        issuer=agent.issuer,
        subject=agent.subject,
        session=agent.session,
        people=people_behind(agent),
        purpose=purpose,
        target=wish.target,
        method=METHOD,
        path=wish.resource or f"rule {wish.rule}",
        facts=facts,
        rules=references,
        quorum=Quorum.of(obligation),
        message="access in advance: headers, queries and bodies of the calls to come are not known",
        fingerprint=_fingerprint(key, agent, references, terms, facts),
        terms=terms,
    )


def _terms(wish: Wish, obligation: ApprovalObligation, family: Family, seconds: float, longest: float) -> GrantTerms:
    if obligation.scope == "request" or obligation.grant is None:
        raise Refusal(Code.DEFAULT_DENY, "A rule asks about every one of these calls by itself; make the call.")
    most = min(obligation.grant, longest)
    if seconds > most:
        raise Refusal(Code.DEFAULT_DENY, f"Access of this kind is given for {format_duration(most)} at most.")
    is_path = family is Family.HTTP and "*" not in wish.resource and "{" not in wish.resource
    one = wish.resource if family is Family.HTTP and is_path else _object(wish)
    if obligation.scope == "resource" and not one:
        raise Refusal(Code.DEFAULT_DENY, "Access of this kind is given for one named thing only; say which.")
    return GrantTerms(
        scope="resource" if one else "rule",
        seconds=seconds,
        verb=",".join(wish.verbs) or "*",
        resource="*" if not wish.resource or (family is Family.HTTP and is_path) else wish.resource,
        name=one,
        namespace=wish.namespace,
    )


def _object(wish: Wish) -> str:
    if not wish.name:
        return ""
    return f"{wish.namespace}/{wish.name}" if wish.namespace else wish.name


def _facts(wish: Wish, seconds: float, justification: str) -> dict[str, Any]:
    facts = {
        "duration": format_duration(seconds),
        "justification": justification,
        "verbs": list(wish.verbs),
        "namespace": wish.namespace or "",
        "name": wish.name,
        "rule": wish.rule or "",
    }
    return {name: value for name, value in facts.items() if value}


def _fingerprint(
    key: bytes, agent: Agent, rules: Sequence[RuleRef], terms: GrantTerms, facts: dict[str, Any]
) -> Fingerprint:
    """The same question, asked again, joins the one before it."""
    parts = [agent.issuer, agent.subject, agent.session, [asdict(rule) for rule in rules], asdict(terms), facts]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    return Fingerprint(hmac.new(key, _DOMAIN + b"\0" + text, hashlib.sha256).hexdigest())
