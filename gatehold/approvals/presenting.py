"""An approval for people and for programs that read the command line."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.model import Answer, Approval, Bound, Change, GrantTerms, Verb
from gatehold.approvals.rendering import columns, cut, fact, visible
from gatehold.approvals.states import ApprovalState

HEADER = ("ID", "STATE", "LEFT", "AGENT", "TARGET", "CALL", "RULE")

_LONGEST_CELL = 60
_NOTHING: tuple[object, ...] = (None, "", [], {})
"""Facts that tell nothing."""


def to_json(approval: Approval) -> dict[str, Any]:
    """What ``--json`` prints of one approval; times in UTC, as RFC 3339 writes them."""
    call = approval.call
    return {
        "id": approval.id,
        "state": approval.state,
        "agent": {"issuer": call.issuer, "subject": call.subject, "session": call.session},
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
    }


def table(approvals: Iterable[Approval], *, now: float) -> list[str]:
    """Lines of a list, one approval each, under a header."""
    return columns(HEADER, [_cells(approval, now) for approval in approvals])


def line(approval: Approval, *, now: float) -> str:
    """One approval on one line of its own."""
    return "  ".join(visible(cell) for cell in _cells(approval, now))


def page(approval: Approval, *, now: float) -> list[str]:
    """Everything that somebody who answers should read."""
    call = approval.call
    lines = [
        f"{approval.id}  {approval.state}{_left_words(approval, now)}",
        f"who          {visible(call.subject)} of {visible(call.issuer)}, session {visible(call.session) or '-'}",
        f"what         {visible(call.method)} {visible(call.path)} on {visible(call.target)}",
    ]
    lines += [
        f"  {visible(name)}: {fact(value)}" for name, value in sorted(call.facts.items()) if value not in _NOTHING
    ]
    lines += [f"why          {visible(', '.join(rule.name for rule in call.rules))}: {visible(call.message) or '-'}"]
    lines += [f"needs        {needs(call.quorum)}", f"leaves       {leaves(call.terms)}"]
    lines += [f"fingerprint  {call.fingerprint}"]
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
    what = f"{terms.verb} {terms.resource}" + (f" {terms.name}" if terms.scope == "resource" else "")
    limits = ", ".join(_bound(bound) for bound in terms.bounds)
    return visible(f"a grant of {_duration(terms.seconds)} for this session: {what}{f', {limits}' if limits else ''}")


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


def _change_json(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {}
    if change.problem:
        return {"diff": None, "diffProblem": f"the change could not be computed: {change.problem}"}
    return {"diff": change.diff, "diffCut": change.cut}


def _answer_line(answer: Answer) -> str:
    place = f"{answer.channel} as {answer.os_user}" if answer.os_user else answer.channel
    words = f": {visible(answer.reason)}" if answer.reason else ""
    return f"{answer.verb:<12} {visible(answer.user)}, {timestamp(answer.at)}, {visible(place)}{words}"


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.verb,
        "user": answer.user,
        "channel": answer.channel,
        "osUser": answer.os_user,
        "reason": answer.reason,
        "at": timestamp(answer.at),
    }
