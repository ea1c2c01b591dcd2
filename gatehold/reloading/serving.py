"""Watches the files, takes what changed, tells what came of it.

A change is tried once it has stood still for a moment; one that was not taken is tried again when the files change
again, on SIGHUP, and when somebody asks. Whatever goes wrong, the old configuration stays, and that is said: in the
log, the journal, the store (where ``doctor`` and ``gatehold reload`` look), and on every page of the console.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.rendering import visible
from gatehold.config import Configuration
from gatehold.config.files import stamp
from gatehold.reloading import asking
from gatehold.reloading.pending import Acceptance, Pending
from gatehold.reloading.reading import Candidate, read
from gatehold.reloading.reports import Outcome, Report, differences
from gatehold.ruling import InForce, Taken
from gatehold.store import Store
from policy.errors import ConfigurationError
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder

logger = logging.getLogger(__name__)

INTERVAL: Final = 0.5
"""Seconds between two looks at the files and the store; files that changed have to look the same twice."""
_SHOWN: Final = 20
"""Names and problems that the journal and the console tell of one attempt."""

type Take = Callable[[Configuration], Awaitable[object]]
type OnTaken = Callable[[Taken], None]


class Reloading:
    """Brings changed files into force. Bound to the event loop that starts it."""

    def __init__(self, in_force: InForce, store: Store, desk: ApprovalDesk, recorder: Recorder) -> None:
        self.problem = ""
        """Why what stands in the files is not in force; empty where it is."""
        self.pending: Pending | None = None
        """What stands in the files and waits for somebody's word; None where nothing waits for that."""
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        """Of this gateway, among those on the same store."""
        self._in_force = in_force
        self._store = store
        self._desk = desk
        self._recorder = recorder
        self._take: Take | None = None
        self._after: list[OnTaken] = []
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._hurry = False
        self._seen: object = None
        """How the files looked last."""
        self._tried: object = None
        """How they looked when they were read last."""
        self._since = time.time()
        self._answered: set[str] = set()
        self._used: set[str] = set()
        """Questions whose word for removals brought its files into force here."""

    def serve(self, take: Take) -> None:
        """``take`` brings a configuration into force, or raises and changes nothing."""
        self._take = take

    def afterwards(self, do: OnTaken) -> None:
        """Do something on the loop, before anything else is done there, when another configuration came into force."""
        self._after.append(do)

    def came_into_force(self, taken: Taken) -> None:
        """Called in the same step of the loop as the assignment: no call begins between them."""
        for do in self._after:
            do(taken)

    async def start(self) -> None:
        """Look, and go on looking."""
        self._task = asyncio.get_running_loop().create_task(self._go_on(), name="gatehold reloading")

    async def close(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def hurry(self) -> None:
        """Read the files now, whether or not they changed (SIGHUP)."""
        self._hurry = True

    async def attempt(self, why: str, *, accepted: Acceptance | None = None) -> Report:
        """Read the files, and bring them into force if that may be; one attempt after the other.

        ``accepted``: what protected may be gone, in these files in the place of those.
        """
        async with self._lock:
            before = self._in_force.configuration()
            try:
                report = await self._tried_out(before, accepted)
            except Exception as error:
                told = f"{type(error).__name__}; see the log"
                logger.warning("gatehold: reload: %s", type(error).__name__, exc_info=error)
                report = Report(outcome=Outcome.FAILED, problems=(told,))
            is_held = report.outcome is Outcome.REMOVALS
            self.pending = Pending.of(before, report, now=time.time()) if is_held else None
            await self._tell(before, report, why, accepted)
            return report

    async def _tried_out(self, before: Configuration, accepted: Acceptance | None) -> Report:
        may = accepted is not None and accepted.before in ("", before.revision)
        of = accepted.revision if accepted else ""
        found = await asyncio.to_thread(read, before, accept_removals=may, of=of)
        if isinstance(found, Report):
            return found
        if self._take is None:
            raise RuntimeError("nobody takes configurations yet")
        now = found.configuration
        try:
            await self._take(now)
        except ConfigurationError as error:
            problems = tuple(map(str, error.problems))
            return Report(outcome=Outcome.INVALID, revision=now.revision, problems=problems)
        return await self._reported(before, found)

    async def _reported(self, before: Configuration, found: Candidate) -> Report:
        now = found.configuration
        ended = await asyncio.to_thread(self._desk.revoke_grants_of, _gone(before, now), reason="its rule was changed")
        told = differences(before, now)
        return Report(
            outcome=Outcome.TAKEN,
            revision=now.revision,
            policy=now.engine.revision,
            added=told["added"],
            changed=told["changed"],
            removed=told["removed"],
            tests=found.tests,
            grants=ended,
        )

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.turn()
            except Exception as error:  # noqa: BLE001 - told, and tried again
                logger.warning("gatehold: reload: looking failed: %s", type(error).__name__)

    async def turn(self) -> None:
        """Look once at the files and at the store."""
        await self._look_at_files()
        questions = await asyncio.to_thread(self._questions)
        for question in questions:
            if question.id in self._answered and not self._is_for_now(question):
                continue
            self._answered.add(question.id)
            report = await self.attempt(question.asked_by, accepted=question.accepted)
            if question.accepted and report.outcome.is_good and report.revision == question.accepted.revision:
                self._used.add(question.id)
            await asyncio.to_thread(self._answer, question.id, report)
        if not questions:
            self._answered.clear()
            self._used.clear()

    def _is_for_now(self, question: asking.Question) -> bool:
        """Has what waits now come after the word for it? Files reach gateways one by one. A word counts once."""
        word, pending = question.accepted, self.pending
        if word is None or pending is None or question.id in self._used:
            return False
        return word.revision == pending.revision and word.before in ("", pending.before)

    async def _look_at_files(self) -> None:
        configuration = self._in_force.configuration()
        looks = await asyncio.to_thread(_looks, configuration.directory)
        settled, self._seen = looks == self._seen, looks
        is_new = looks != self._tried and configuration.gateway.spec.reload.watch == "on"
        if not self._hurry and not (settled and is_new):
            return
        why = "SIGHUP" if self._hurry else "changed files"
        self._hurry, self._tried = False, looks
        report = await self.attempt(why)
        if report.outcome is not Outcome.UNCHANGED:
            await asyncio.to_thread(self._note, why, report)

    def _questions(self) -> list[asking.Question]:
        with self._store.reading() as connection:
            return asking.open_questions(connection, since=self._since, now=time.time())

    def _answer(self, question: str, report: Report) -> None:
        with self._store.writing() as connection:
            asking.answer(connection, question, self.name, report, now=time.time())

    def _note(self, why: str, report: Report) -> None:
        with self._store.writing() as connection:
            asking.note(connection, self.name, why, report, now=time.time())

    async def _tell(self, before: Configuration, report: Report, why: str, accepted: Acceptance | None) -> None:
        was, self.problem = self.problem, "" if report.outcome.is_good else "; ".join(_few(report.lines()))
        if report.outcome is Outcome.UNCHANGED:
            if was:
                logger.warning("gatehold: reload: the files are again what is in force")
            return
        told = "; ".join(visible(line.strip()) for line in _few(report.lines()))
        logger.warning("gatehold: reload (%s): %s", visible(why), told)
        is_good = report.outcome.is_good
        event = gateway_event(
            GatewayMove.RELOAD if is_good else GatewayMove.RELOAD_FAILED,
            time=time.time(),
            message=next(report.lines()),
            details={
                "by": why,
                "outcome": report.outcome.value,
                "before": before.engine.revision,
                "revision": self._in_force.ruling.engine.revision,
                "files": report.revision,
                "added": _few(report.added),
                "changed": _few(report.changed),
                "removed": _few(report.removed),
                "problems": _few(report.problems),
                **(_word(accepted) if accepted else {}),
            },
        )
        with contextlib.suppress(RecorderUnavailable):  # the recorder says itself what is wrong
            await self._recorder.append(events=[event], session=SessionId(""), durable=True)


def _looks(directory: Path) -> object:
    """How the files look, without reading them; what keeps them from being looked at is a look as well."""
    try:
        return stamp(directory)
    except OSError as error:
        return error.errno


def _gone(before: Configuration, now: Configuration) -> frozenset[tuple[str, str]]:
    """Rules, by name and content, that are no more."""
    rules = [{(str(name), rule.hash) for name, rule in each.engine.rules.items()} for each in (before, now)]
    return frozenset(rules[0] - rules[1])


def _word(accepted: Acceptance) -> dict[str, object]:
    """What the journal is told of it."""
    told = {"accepted": accepted.to_json(most=asking.MOST_TOLD)["gone"], "reason": accepted.reason}
    return {name: value for name, value in told.items() if value}


def _few(given: Iterable[str]) -> list[str]:
    words = list(given)
    return words if len(words) <= _SHOWN else [*words[:_SHOWN], f"and {len(words) - _SHOWN} more"]
