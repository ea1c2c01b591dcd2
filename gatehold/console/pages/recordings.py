"""What agents did, from the journal and the flow files: a search over calls, a session in order, one call with bodies.

Everything that is read here was masked before it was written. The journal is read from its end, for seconds at most;
pages say how far back they looked.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.console import commands
from gatehold.console.calls import read_call
from gatehold.console.context import Console
from gatehold.console.problems import Refused
from gatehold.console.timeline import entries, summed
from policy.model import Verdict
from recordings.index.finding import scan
from recordings.listing import CALLS, Filter
from recordings.moments import moment_of
from recordings.scanning import Budget, Place, Scan

PAGE: Final = 50
"""Calls of a search on one page."""
LINES: Final = 600
"""Lines of a session on one page."""
BUDGET: Final = Budget()
AT_ONCE: Final = 2
"""Readers of the journal at the same time; the others wait."""
LONGEST: Final = 512
"""Characters of a field."""
FIELDS: Final = ("text", "agent", "target", "rule", "verdict", "since", "until")
_OF_SESSIONS: Final = frozenset({*CALLS, "intent", "lookup", "incident", "approval", "governance"})


class _Recordings:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._readers = asyncio.Semaphore(AT_ONCE)

    async def search(self, request: Request) -> Response:
        """Calls that fit, the newest first."""
        asked = {name: _field(request, name) for name in FIELDS}
        problem, done = "", Scan()
        try:
            only = _filter(asked, self._console.clock())
        except ValueError as error:
            problem = str(error)
        else:
            done = await self._in_thread(lambda: self._scan(only, PAGE, _place(request)))
        older = {**asked, "at": str(done.older)} if done.older else None
        return self._console.templates.page(
            request,
            "recordings.html",
            422 if problem else 200,
            asked=asked,
            problem=problem,
            done=done,
            calls=entries(done.found),
            older=older and _query(older),
            newest=_query(asked),
            targets=sorted(self._console.configuration.targets),
            rules=list(self._console.engine.rules),
            first=not _field(request, "at"),
        )

    async def session(self, request: Request) -> Response:
        """All that happened in a session, in order; the newest page of it first."""
        name, agent = _field(request, "session"), _field(request, "agent")
        if not name:
            raise Refused(404, "Say which session.")
        only = Filter(session=name, kinds=_OF_SESSIONS)
        done = await self._in_thread(lambda: self._scan(only, LINES, _place(request)))
        if agent:
            # Lines about people's acts name no agent.
            done.found = [each for each in done.found if each.row.agent in {agent, ""}]
        found = entries(done.found)[::-1]
        if not found and not done.is_cut:
            raise Refused(404, "Nothing was recorded of this session, or it was cleared away.")
        older = {"session": name, "agent": agent, "at": str(done.older)} if done.older else None
        return await asyncio.to_thread(  # hundreds of lines: no call waits for them
            self._console.templates.page,
            request,
            "session.html",
            name=name,
            calls=found,
            sums=summed(found),
            who=next((each.row for each in found if each.row.agent), None),
            done=done,
            older=older and _query(older),
            newest=_query({"session": name, "agent": agent}),
            latest=_query({"session": name, "agent": agent}) if _field(request, "at") else None,
            command=commands.recordings("open", name, self._console.configuration.directory),
        )

    async def call(self, request: Request) -> Response:
        """One call with its bodies."""
        decision = _field(request, "id")
        if not decision:
            raise Refused(404, "Say which call.")
        place, data_dir = _place(request), self._console.configuration.data_dir
        found = await self._in_thread(lambda: read_call(data_dir, decision, place))
        if found.entry is None:
            words = "It was not found in the newest part of the journal." if found.scan.is_cut else "There is none."
            raise Refused(404, f"{words} `gatehold recordings show` looks through all of it.")
        directory = self._console.configuration.directory
        opening = commands.recordings("open", decision, directory)
        cast = commands.recordings("export", decision, directory, "--asciicast") if found.is_terminal else ""
        return self._console.templates.page(
            request,
            "recorded.html",
            found=found,
            entry=found.entry,
            command=opening,
            cast=cast,
            again=_again(found.entry),
        )

    def _scan(self, only: Filter, limit: int, at: Place | None) -> Scan:
        return scan(self._console.configuration.data_dir, only, limit=limit, at=at, budget=BUDGET)

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        async with self._readers:
            return await asyncio.to_thread(work)


def routes(console: Console) -> list[Route]:
    """A search and two views."""
    page = _Recordings(console)
    return [
        Route("/recordings", page.search, methods=["GET"]),
        Route("/recordings/session", page.session, methods=["GET"]),
        Route("/recordings/call", page.call, methods=["GET"]),
    ]


def _filter(asked: dict[str, str], now: float) -> Filter:
    """Raises ValueError, with words for people."""
    since, until = (moment_of(asked[name], now=now) if asked[name] else None for name in ("since", "until"))
    if asked["verdict"] and asked["verdict"] not in list(Verdict):
        raise ValueError("There is no such verdict.")
    named = {name: asked[name] for name in ("text", "agent", "target", "rule", "verdict")}
    return Filter(kinds=CALLS, since=since, until=until, **named)


def _field(request: Request, name: str) -> str:
    value = request.query_params.get(name, "").strip()
    if len(value) > LONGEST:
        raise Refused(400, f"A field has at most {LONGEST} characters.")
    return value


def _place(request: Request) -> Place | None:
    text = _field(request, "at")
    try:
        return Place.parse(text) if text else None
    except ValueError:
        raise Refused(400, "This is no place to go on from.") from None


def _query(fields: dict[str, str]) -> str:
    return urlencode({name: value for name, value in fields.items() if value})


def _again(entry: Any) -> str:
    """The same call for the form that explains."""
    user = entry.row.raw["event"].get("actor", {}).get("user", {})
    groups = "\n".join(str(each.get("name", "")) for each in user.get("groups", ()))
    row = entry.row
    fields = {"target": row.target, "method": row.method, "path": row.path, "subject": row.agent, "groups": groups}
    return _query({**fields, "issuer": row.issuer})
