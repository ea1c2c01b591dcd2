"""What an auditor sees of the decision in mitmweb: a flow's metadata, comment and marker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.codes import Code
from policy.model import Verdict
from recordings.events import Call
from recordings.ocsf import clip


@dataclass(slots=True, kw_only=True)
class Annotation:
    """The three places that a flow has for remarks."""

    metadata: dict[str, Any]
    """``{"gatehold": {...}}``, JSON-like; found by mitmproxy's filter ``~meta``."""
    comment: str
    """``allow planners-read-crm (agent a1) masked EMAIL_ADDRESS 3, CREDIT_CARD 1 (pii)``; found by ``~comment``."""
    marked: str
    """Name of an emoji, or empty for a call that was allowed as it is."""


def annotate(  # noqa: PLR0913 (what there is to remark)
    call: Call,
    *,
    code: Code | str,
    masked: Mapping[str, int] | None = None,
    approval: str = "",
    part: int | None = None,
    judged_by: str = "",
) -> Annotation:
    """Remarks for the flow of ``call``, which was answered with ``code``; ``judged_by``: what else it was judged by."""
    judged, agent, code = call.judged, call.agent, Code(code)
    verdict = judged.verdict if judged is not None else Verdict.DENY
    words = {
        "agent": agent.subject if agent else None,
        "approval": approval,
        "code": code.value,
        "decision": call.id,
        "input": judged_by,
        "issuer": agent.issuer if agent else None,
        "mask": list(judged.obligations.mask.profiles) if judged is not None else None,
        "masked": dict(sorted(masked.items())) if masked else None,
        "part": part,
        "revision": judged.revision if judged is not None else None,
        "rule": judged.rule if judged is not None else None,
        "rules": list(judged.rules) if judged is not None else None,
        "session": agent.session if agent else None,
        "target": call.target,
        "verdict": verdict.value,
    }
    metadata = {"gatehold": {key: value for key, value in words.items() if value}}
    return Annotation(
        metadata=metadata,
        comment=_comment(call, verdict, code, approval, masked),
        marked=_marker(code, approval, masked),
    )


def _comment(call: Call, verdict: Verdict, code: Code, approval: str, masked: Mapping[str, int] | None) -> str:
    rule = call.judged.rule if call.judged is not None else None
    words = [verdict.value if rule else code.value, rule or ""]
    if rule and code is not Code.ALLOWED:
        words.append(f"[{code.value}]")
    words.append(f"(agent {clip(call.agent.subject, 80)})" if call.agent else "(no agent)")
    if approval:
        words.append(f"approval {approval}")
    if masked:
        words.append(_masked(call, masked))
    return " ".join(word for word in words if word)


def _masked(call: Call, masked: Mapping[str, int]) -> str:
    """What was hidden, the most frequent first, and by which profiles."""
    counts = sorted(masked.items(), key=lambda each: (-each[1], each[0]))
    profiles = call.judged.obligations.mask.profiles if call.judged is not None else ()
    told = "masked " + ", ".join(f"{entity} {count}" for entity, count in counts)
    return f"{told} ({', '.join(profiles)})" if profiles else told


def _marker(code: Code, approval: str, masked: Mapping[str, int] | None) -> str:
    if code is Code.APPROVAL_PENDING:
        return ":hourglass:"
    if code is not Code.ALLOWED:
        return ":no_entry:"
    if approval:
        return ":white_check_mark:"
    return ":lock:" if masked else ""
