"""Law: the verdict comes first; names of files and objects, which anybody may choose, steer no terminal."""

from gatehold.cli.audit_words import report_json, report_lines
from recordings.findings import Break, Report


def test_the_verdict_comes_first() -> None:
    """Then how far it reaches, then the rest, of which not all is listed."""
    report = Report(events=9, signatures=True, vouched=8, notes=[f"note {number}" for number in range(30)])
    report.open_intents = ["dec_1"]
    first, reach, signed, *more = report_lines(report)
    assert (first, signed) == ("9 events, 0 flows, 0 checkpoints: intact", "signed to event 8")
    assert reach == "intact to event 9; later truncation cannot be excluded"
    assert more[19:] == ["  note 19", "  and 10 more", "1 calls were to be sent and have no end:", "  dec_1"]


def test_names_steer_no_terminal() -> None:
    """For programs they are as they are."""
    name = "recordings/\x1b]0;owned\x07.flow"
    report = Report(first_break=Break(file=name, line=0, message="is missing"), notes=[name])
    assert not any("\x1b" in line or "\x07" in line for line in report_lines(report))
    assert report_json(report)["break"] == {"file": name, "line": 0, "message": "is missing"}
