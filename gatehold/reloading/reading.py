"""From a directory to a configuration that may come into force, or to why it may not. All of it blocks."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatehold.config import Configuration, load
from gatehold.config.files import read_directory, revision
from gatehold.explaining import only_issuer
from gatehold.reloading.removals import lost_rules, removals
from gatehold.reloading.reports import Outcome, Report
from gatehold.reloading.restarts import needs_restart
from policy.errors import ConfigurationError
from policy.testing import Result, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A configuration that may come into force."""

    configuration: Configuration
    tests: int
    """Cases of its PolicyTests, all of which passed."""


def read(before: Configuration, *, accept_removals: bool, of: str = "") -> Candidate | Report:
    """What stands in the directory of ``before`` now; a Report where that is not to come into force.

    ``of``: the revision of the files in whose case what protected may be gone; empty: in any.
    """
    unchanged = Report(outcome=Outcome.UNCHANGED, revision=before.revision, policy=before.engine.revision)
    try:
        if _is_same(before):
            return unchanged
        now = load(before.directory)
    except ConfigurationError as error:
        return Report(outcome=Outcome.INVALID, problems=tuple(_told(str(each), before) for each in error.problems))
    if now.revision == before.revision:
        return unchanged
    if restarts := needs_restart(before, now):
        return Report(outcome=Outcome.RESTART, revision=now.revision, problems=restarts)
    is_accepted = accept_removals and of in ("", now.revision)
    if not is_accepted and (gone := removals(before, now)):
        lost = lost_rules(before, now)
        return Report(outcome=Outcome.REMOVALS, revision=now.revision, problems=gone, lost=lost)
    results = run(now.engine, now.tests, now=datetime.now(UTC), issuer=only_issuer(now)).results
    if failed := tuple(_failure(each) for each in results if not each.passed):
        return Report(outcome=Outcome.TESTS, revision=now.revision, problems=failed)
    return Candidate(configuration=now, tests=len(results))


def _is_same(before: Configuration) -> bool:
    """Is every file what it was, and none there that was not? Compiles nothing. Raises ConfigurationError."""
    contents = read_directory(before.directory)
    return contents.keys() == set(before.files.values()) and revision(contents) == before.revision


def _failure(result: Result) -> str:
    return f"{result.document}: {result.name}: wanted {dict(result.want)}, got {dict(result.got)}"


def _told(problem: str, configuration: Configuration) -> str:
    """A problem, with its file as it stands in the directory."""
    return problem.removeprefix(f"{Path(configuration.directory)}/")
