"""What a verification found, for people and for programs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recordings.findings import Report

_SHOWN = 20
"""So many notes and calls are listed; the others are counted."""


def report_lines(report: "Report") -> list[str]:
    """For people: the verdict first, then how far it reaches, then what else there is to know."""
    from gatehold.approvals.rendering import visible

    lines = [report.summary()]
    if report.intact:
        lines += _reach(report)
    lines += _some(report.notes)
    if report.open_intents:
        lines += [f"{len(report.open_intents)} calls were to be sent and have no end:", *_some(report.open_intents)]
    return [visible(line) for line in lines]  # names of files are in them, which anybody may have chosen


def _reach(report: "Report") -> list[str]:
    lines = []
    if report.anchored:
        lines.append(f"anchored to event {report.anchored}")
    if not report.anchored or report.anchored < report.last:
        lines.append(f"intact to event {report.last}; later truncation cannot be excluded")
    if report.signatures:
        lines.append(f"signed to event {report.vouched}")
    else:
        lines.append("signatures were not checked against a key from outside (--key)")
    return lines


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [f"  {line}" for line in lines[:_SHOWN]] + ([f"  and {more} more"] if more > 0 else [])


def report_json(report: "Report") -> dict[str, Any]:
    """For programs."""
    bad = report.first_break
    return {
        "intact": report.intact,
        "break": asdict(bad) if bad else None,
        "events": report.events,
        "deleted": report.deleted,
        "flows": report.flows,
        "checkpoints": report.checkpoints,
        "signatures": report.signatures,
        "vouched": report.vouched,
        "anchored": report.anchored,
        "uploadedFlows": report.uploaded_flows,
        "fetchedFlows": report.fetched_flows,
        "notes": report.notes,
        "openIntents": report.open_intents,
    }
