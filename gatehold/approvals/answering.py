"""Whether what a person says about an approval counts. Pure."""

import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gatehold.approvals.approvers import is_behind
from gatehold.approvals.errors import AnswerRefused, Objection
from gatehold.approvals.model import Answer, Approval, Channel, Verb
from gatehold.approvals.rendering import visible
from gatehold.approvals.states import ApprovalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Somebody who says something."""

    user: str
    channel: Channel
    os_user: str = ""
    """The account of the operating system that a local answer came from."""
    verb: Verb
    reason: str = ""
    shown: str | None = None
    """Digest of what the person had before them; None: told by no page."""
    forced: bool = False

    def __post_init__(self) -> None:
        if self.channel is Channel.LOCAL and not self.os_user:
            raise ValueError("a local answer needs the account that gave it")

    @property
    def person(self) -> str:
        """Who counts: local answers of one account are one person's, whomever they name."""
        return f"os:{self.os_user}" if self.channel is Channel.LOCAL else f"user:{self.user}"

    def answer(self, now: float) -> Answer:
        """What is kept of it."""
        return Answer(
            verb=self.verb,
            user=self.user,
            person=self.person,
            channel=self.channel,
            os_user=self.os_user,
            reason=self.reason,
            at=now,
            shown=self.shown,
            forced=self.forced,
        )


def check(
    approval: Approval, voice: Voice, groups: frozenset[str] | None, *, now: float, names: Iterable[str] = ()
) -> None:
    """Raise AnswerRefused if this answer does not count. ``groups`` is None for somebody not known to the store;
    ``names``: by which a token may mean this person, besides the user's."""
    _check_open(approval, now)
    known = _known(voice, groups)
    _check_stranger(approval, voice, names)
    _check_right(approval, voice, known)
    _check_first(approval, voice)
    if voice.verb is Verb.DENY and not voice.reason.strip():
        raise AnswerRefused(Objection.NO_REASON, "a denial needs a reason: the agent and its owner will read it")


def check_forced(  # noqa: PLR0913 (as ``check``)
    approval: Approval,
    voice: Voice,
    groups: frozenset[str] | None,
    glass: Collection[str],
    *,
    now: float,
    names: Iterable[str] = (),
) -> None:
    """Raise AnswerRefused if this person may not break the glass: ``glass`` are the groups that may."""
    _check_open(approval, now)
    known = _known(voice, groups)
    _check_stranger(approval, voice, names)
    if not known & frozenset(glass):
        raise AnswerRefused(
            Objection.NO_BREAK_GLASS, f"{visible(voice.user)} is in no group that may answer alone (breakGlass)"
        )
    if not voice.reason.strip():
        raise AnswerRefused(Objection.NO_REASON, "breaking the glass needs a reason: it will be looked into")


def check_shown(voice: Voice, digest: str) -> None:
    """Raise AnswerRefused if the person had something else before them than what is asked."""
    if voice.shown is not None and not hmac.compare_digest(voice.shown.encode(), digest.encode()):
        raise AnswerRefused(Objection.NOT_SHOWN, "what is asked is not what was shown: look at it again, then answer")


def enough(approval: Approval, groups: Mapping[str, frozenset[str]], glass: Collection[str] = ()) -> bool:
    """Whether the people who said yes, with the groups they are in now, are the quorum, or one of them forces it."""
    may_force = frozenset(glass)
    if any(answer.forced and groups.get(answer.user, frozenset()) & may_force for answer in approval.answers):
        return True
    said_yes = {answer.person: answer.user for answer in approval.answers if answer.verb is Verb.APPROVE}
    return approval.call.quorum.met_by(groups.get(user, frozenset()) for user in said_yes.values())


def _check_open(approval: Approval, now: float) -> None:
    if approval.state is not ApprovalState.PENDING:
        raise AnswerRefused(Objection.LATE, f"too late: approval {approval.id} is {approval.state} already")
    if approval.expires <= now:
        raise AnswerRefused(Objection.LATE, f"too late: approval {approval.id} has expired")


def _known(voice: Voice, groups: frozenset[str] | None) -> frozenset[str]:
    if groups is None:
        raise AnswerRefused(
            Objection.UNKNOWN_USER,
            f"no user is named {visible(voice.user)}; people are made known with: gatehold users add",
        )
    return groups


def _check_stranger(approval: Approval, voice: Voice, names: Iterable[str]) -> None:
    if any(is_behind(name, approval.call.people) for name in (voice.user, *names)):
        raise AnswerRefused(
            Objection.OWN_REQUEST, f"{visible(voice.user)} is behind this call, and nobody answers for their own"
        )


def _check_right(approval: Approval, voice: Voice, groups: frozenset[str]) -> None:
    if not approval.call.quorum.admits(groups):
        needed = " and ".join(" or ".join(sorted(one)) for one in approval.call.quorum.sets)
        raise AnswerRefused(
            Objection.WRONG_GROUP, f"{visible(voice.user)} is in none of the groups that may answer: {visible(needed)}"
        )


def _check_first(approval: Approval, voice: Voice) -> None:
    for answer in approval.answers:
        if voice.verb is not answer.verb:
            continue
        if answer.user == voice.user:
            raise AnswerRefused(Objection.TWICE, f"{visible(voice.user)} has approved already; another person must")
        if answer.person == voice.person:
            raise AnswerRefused(
                Objection.TWICE,
                f"all answers of the account {visible(voice.os_user)} count as one person's, "
                f"and it has approved already as {visible(answer.user)}",
            )
