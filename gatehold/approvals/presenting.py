"""An approval for people and for programs that read the command line."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.grants import Grant
from gatehold.approvals.model import Answer, Approval, Body, Bound, Change, GrantTerms, Verb
from gatehold.approvals.rendering import columns, cut, fact, visible
from gatehold.approvals.showing import digest
from gatehold.approvals.states import ApprovalState

HEADER = ("ID", "STATE", "LEFT", "AGENT", "TARGET", "CALL", "RULE")

_LONGEST_CELL = 60
_STATE_WIDTH = max(map(len, ApprovalState))
_LEFT_WIDTH = len("59m59s")
_NOTHING: tuple[object, ...] = (None, "", [], {})
"""Facts that tell nothing."""


def to_json(approval: Approval) -> dict[str, Any]:
    """What ``--json`` prints of one approval; times in UTC, as RFC 3339 writes them."""
    call = approval.call
    return {
        "id": approval.id,
        "state": approval.state,
        "agent": {"issuer": call.issuer, "subject": call.subject, "session": call.session, "purpose": call.purpose},
        "target": call.target,
        "action": {"method": call.method, "path": call.path, **call.facts},
        "rule": call.rules[0].name if call.rules else None,
        "rules": [rule.name for rule in call.rules],
        "fingerprint": call.fingerprint,
        "created": timestamp(approval.created),
        "expires": timestamp(approval.deadline),
        "groups": [sorted(groups) for groups in call.quorum.sets],
        "count": call.quorum.count,
        "answers": [_answer_json(answer) for answer in approval.answers],
        "message": call.message,
        **_change_json(call.change),
        "reason": approval.reason,
        "grant": None if call.terms is None else {"scope": call.terms.scope, "seconds": call.terms.seconds},
        "kind": call.kind,
        "together": call.together,
        "shown": digest([approval]),
        **_body_json(call.body),
    }


def table(approvals: Iterable[Approval], *, now: float) -> list[str]:
    """Lines of a list, one approval each, under a header."""
    return columns(HEADER, [_cells(approval, now) for approval in approvals])


def line(approval: Approval, *, now: float) -> str:
    """One approval on one line of its own; lines of several approvals stand under each other."""
    approval_id, *rest = (visible(cell) for cell in _cells(approval, now))
    widths = (_STATE_WIDTH, _LEFT_WIDTH, 0, 0, 0, 0)
    return "  ".join([approval_id, *(cell.ljust(width) for cell, width in zip(rest, widths, strict=True))])


def page(approval: Approval, *, now: float) -> list[str]:
    """Everything that somebody who answers should read."""
    call = approval.call
    lines = [
        f"{approval.id}  {approval.state}{_left_words(approval, now)}",
        f"who          {visible(call.subject)} of {visible(call.issuer)}, session {visible(call.session) or '-'}",
        *([f"purpose      {visible(call.purpose)}"] if call.purpose else []),
        f"what         {visible(call.method)} {visible(call.path)} on {visible(call.target)}",
    ]
    lines += [
        f"  {visible(name)}: {fact(value)}" for name, value in sorted(call.facts.items()) if value not in _NOTHING
    ]
    lines += [f"why          {visible(', '.join(rule.name for rule in call.rules))}: {visible(call.message) or '-'}"]
    lines += [f"needs        {needs(call.quorum)}", f"leaves       {leaves(call.terms)}"]
    lines += [f"fingerprint  {call.fingerprint}"]
    lines += _body_lines(call.body)
    lines += _change_lines(call.change)
    return lines + [_answer_line(answer) for answer in approval.answers]


def needs(quorum: Quorum) -> str:
    """Whose yes is needed, in words."""
    people = "1 person" if quorum.count == 1 else f"{quorum.count} people"
    sets = [" or ".join(sorted(groups)) for groups in quorum.sets]
    if len(sets) == 1:
        return visible(f"{people} of {sets[0]}")
    return visible(f"{people}, among them " + " and ".join(f"{quorum.each} of {groups}" for groups in sets))


def leaves(terms: GrantTerms | None) -> str:
    """What a yes leaves behind, in words."""
    if terms is None:
        return "nothing: this one request, once"
    return visible(f"a grant of {_duration(terms.seconds)} for this session: {covers(terms)}")


def covers(terms: GrantTerms) -> str:
    """Which calls a grant covers, in words."""
    verbs = "any call" if terms.verb == "*" else terms.verb.replace(",", " or ")
    what = terms.resource if terms.resource != "*" else ("" if terms.name else "that the rule asks about")
    where = f" in namespace {terms.namespace or '(none)'}" if terms.namespace is not None and not terms.name else ""
    name = f" {terms.name}" if terms.scope == "resource" else " of any name" if terms.like is not None else ""
    limits = "".join(f", {_bound(bound)}" for bound in terms.bounds)
    rest = "; all else as in this call" if terms.like is not None else "; headers, query and body may be any"
    return visible(f"{verbs} {what}{name}{where}".replace("  ", " ") + limits + rest)


def grant_left(grant: Grant, *, now: float) -> str:
    """How long a grant lasts; why it does not."""
    if grant.revoked is not None:
        return "revoked"
    return _duration(grant.expires - now) if now < grant.expires else "ended"


def grant_json(grant: Grant, *, now: float) -> dict[str, Any]:
    """What ``--json`` prints of one grant."""
    return {
        "id": grant.id,
        "approval": grant.approval,
        "agent": {"issuer": grant.issuer, "subject": grant.subject, "session": grant.session},
        "target": grant.target,
        "rules": [rule.name for rule in grant.rules],
        "covers": covers(grant.terms),
        "created": timestamp(grant.created),
        "expires": timestamp(grant.expires),
        "revoked": None if grant.revoked is None else timestamp(grant.revoked),
        "inForce": grant.revoked is None and now < grant.expires,
    }


def progress(approval: Approval) -> str:
    """Where an approval stands after an answer."""
    given = sum(answer.verb is Verb.APPROVE for answer in approval.answers)
    if approval.state is ApprovalState.PENDING:
        return f"{approval.id} is still pending: {given} said yes; it needs {needs(approval.call.quorum)}"
    return f"{approval.id} is {approval.state}"


def timestamp(seconds: float) -> str:
    """``2026-01-31T12:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cells(approval: Approval, now: float) -> tuple[str, ...]:
    call = approval.call
    rule = call.rules[0].name if call.rules else "-"
    cells = (f"{call.issuer}/{call.subject}", call.target, f"{call.method} {call.path}", rule)
    return approval.id, approval.state, _left(approval, now), *(cut(cell, _LONGEST_CELL) for cell in cells)


def _left(approval: Approval, now: float) -> str:
    if approval.ended is not None:
        return "-"
    return _duration(max(0.0, approval.deadline - now))


def _left_words(approval: Approval, now: float) -> str:
    if approval.ended is not None:
        return ""
    return f", {_left(approval, now)} left (until {timestamp(approval.deadline)})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if number]
    return "".join(parts) or "0s"


def _bound(bound: Bound) -> str:
    numeric = isinstance(bound.value, int | float) and not isinstance(bound.value, bool)
    return f"{bound.fact} {'<=' if numeric else '='} {fact(bound.value)}"


def _change_lines(change: Change | None) -> list[str]:
    """What the call makes of the object, every line made visible."""
    if change is None:
        return []
    if change.problem:
        return [f"change       the change could not be computed: {visible(change.problem)}"]
    # Said first: who fills a change with noise wants the end of it to be overlooked.
    missing = f"; {change.cut} LINES OF IT ARE NOT SHOWN" if change.cut else ""
    lines = [f"change       as the cluster computes it; the yes is for this change only{missing}"]
    lines += [f"  {visible(line)}" for line in change.diff.split("\n")]
    return lines + ([f"  [{change.cut} more lines]"] if change.cut else [])


def _body_lines(body: Body | None) -> list[str]:
    """The body, every line made visible, and first what is missing of it."""
    if body is None:
        return []
    missing = [f"{body.masked} VALUES ARE HIDDEN"] if body.masked else []
    missing += [f"{body.cut} CHARACTERS ARE NOT SHOWN"] if body.cut else []
    missing += [f"NOT ALL OF IT IS SHOWN: {visible(body.problem)}"] if body.problem else []
    kind = visible(body.content_type) or "no content type"
    lines = [f"body         {body.size} bytes, {kind}{''.join(f'; {each}' for each in missing)}"]
    return lines + [f"  {visible(line)}" for line in body.text.split("\n") if body.text]


def _body_json(body: Body | None) -> dict[str, Any]:
    if body is None:
        return {}
    names = {"text": body.text, "contentType": body.content_type, "size": body.size}
    return {"body": {**names, "masked": body.masked, "cut": body.cut, "problem": body.problem or None}}


def _change_json(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {}
    if change.problem:
        return {"diff": None, "diffProblem": f"the change could not be computed: {change.problem}"}
    return {"diff": change.diff, "diffCut": change.cut}


def _answer_line(answer: Answer) -> str:
    place = f"{answer.channel} as {answer.os_user}" if answer.os_user else answer.channel
    words = f": {visible(answer.reason)}" if answer.reason else ""
    said = "forced" if answer.forced else str(answer.verb)
    return f"{said:<12} {visible(answer.user)}, {timestamp(answer.at)}, {visible(place)}{words}"


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.verb,
        "user": answer.user,
        "channel": answer.channel,
        "osUser": answer.os_user,
        "reason": answer.reason,
        "at": timestamp(answer.at),
        "forced": answer.forced,
    }
