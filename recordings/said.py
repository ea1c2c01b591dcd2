"""Events that are still to be made, by whoever writes them: in the recorder's process, where no call waits for it.

The event loop only packs what it knows of a call, once for all of its events.
"""

import marshal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final

from policy.codes import Code
from policy.model import (
    Agent,
    ApprovalObligation,
    Decision,
    Family,
    LimitObligation,
    MaskObligation,
    Obligations,
    Verdict,
)
from recordings.events import Call, Event, Resource, intent, outcome, refusal


@dataclass(slots=True)
class Said:
    """What is said about a call."""

    builder: str
    """Name of one of ``intent``, ``outcome``, ``refusal``."""
    call: Call
    words: dict[str, Any] = field(repr=False)
    """What else the builder is given; not changed meanwhile."""

    def event(self) -> Event:
        """Make it. ``TypeError`` or ``ValueError`` where the words are not the builder's."""
        return _BUILDERS[self.builder](self.call, **self.words)


def said[**P](builder: Callable[Concatenate[Call, P], Event], call: Call, *_: P.args, **words: P.kwargs) -> Said:
    """Have ``builder(call, **words)`` made by whoever writes it."""
    return Said(builder.__name__, call, words)


def packed(call: Call) -> bytes:
    """A call for another process of ours; ``ValueError`` where a fact is not plain. Not a form to keep."""
    if call.packed is None:
        call.packed = marshal.dumps(_plain_call(call))
    return call.packed


def unpacked(content: bytes) -> Call:
    """What ``packed`` was given, as far as events tell of it."""
    return _named_call(*marshal.loads(content))  # noqa: S302 (from our own other half)


_BUILDERS: Final[Mapping[str, Callable[..., Event]]] = {made.__name__: made for made in (intent, outcome, refusal)}


def _plain_call(call: Call) -> tuple[Any, ...]:
    agent, resources = call.agent, tuple([(each.type, each.name, each.namespace) for each in call.resources])
    return (
        call.id,
        None if agent is None else (agent.issuer, agent.subject, agent.groups, agent.session),
        call.target,
        None if call.family is None else call.family.value,
        call.scheme,
        call.host,
        call.port,
        call.method,
        call.path,
        call.operation,
        call.verb,
        call.client,
        call.time,
        None if call.judged is None else _plain_judgement(call.judged),
        resources,
        call.facts,
    )


def _named_call(*plain: Any) -> Call:
    (id_, agent, target, family, scheme, host, port, method, path, operation, verb, client, time, judged, resources,
     facts) = plain  # fmt: skip
    return Call(
        id=id_,
        agent=None if agent is None else Agent(issuer=agent[0], subject=agent[1], groups=agent[2], session=agent[3]),
        target=target,
        family=None if family is None else Family(family),
        scheme=scheme,
        host=host,
        port=port,
        method=method,
        path=path,
        operation=operation,
        verb=verb,
        client=client,
        time=time,
        judged=None if judged is None else _named_judgement(*judged),
        resources=tuple([Resource(type=kind, name=name, namespace=namespace) for kind, name, namespace in resources]),
        facts=facts,
    )


def _plain_judgement(judged: Decision) -> tuple[Any, ...]:
    due = judged.obligations
    asks = due.approval
    return (
        judged.verdict.value,
        judged.code.value,
        judged.rule,
        judged.rules,
        judged.shadow,
        judged.detail,
        judged.revision,
        None if asks is None else (asks.rules, tuple([tuple(group) for group in asks.groups]), asks.count),
        due.mask.profiles,
        tuple([(limit.rule, limit.unit, limit.amount, limit.window) for limit in due.limits]),
    )


def _named_judgement(*plain: Any) -> Decision:
    verdict, code, rule, rules, shadow, detail, revision, asks, profiles, limits = plain
    approval = None
    if asks is not None:
        groups = tuple([frozenset(group) for group in asks[1]])
        approval = ApprovalObligation(rules=asks[0], groups=groups, count=asks[2])
    due = Obligations(
        approval=approval,
        mask=MaskObligation(profiles=profiles),
        limits=tuple([LimitObligation(rule=by, unit=unit, amount=most, window=per) for by, unit, most, per in limits]),
    )
    return Decision(
        verdict=Verdict(verdict),
        code=Code(code),
        rule=rule,
        rules=rules,
        shadow=shadow,
        detail=detail,
        revision=revision,
        obligations=due,
    )
