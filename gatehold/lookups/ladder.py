"""What an object is now and what a write will make of it, as far up as a decision needs it.

1. The object now is asked for under the identity of the call.
2. What a write will make of it is asked by the same request with ``dryRun=All``: that sees defaults, merges and
   admission. It carries the version of the object that was read, so that the two belong together.
3. Where a dry run cannot be trusted, or admission cannot take part in one, the change is computed here, if it can be
   computed exactly.
4. Everything else stays unknown, and why is kept for the audit trail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gatehold.lookups import definitions, eligibility
from gatehold.lookups.client import TIMEOUT, OwnCalls
from gatehold.lookups.definitions import Definitions
from gatehold.lookups.requests import KubernetesObject, LookupFailed, OwnCall, OwnRequest, Place, Purpose
from gatehold.lookups.versions import stated_version, version_of
from policy.actions.knowledge import NOTHING_KNOWN, KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.actions.patches import APPLY_PATCH
from policy.actions.payloads import patch_type
from policy.actions.pinning import pin
from policy.actions.readings import Unreadable
from policy.actions.resulting import resulting
from policy.model import UNKNOWN, Agent, Wanted

type Tell = Callable[[OwnCall], Awaitable[None]]


_ATTEMPTS: Final = 4
"""Controllers write status, often; each time the object has another version."""
_CONFLICTS: Final = frozenset({409, 422})


class _Changed(LookupFailed):
    """What was looked at belongs to two versions of the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """The call for which is looked."""

    place: Place
    agent: Agent
    action: KubernetesAction
    """As the request alone tells it."""
    content_type: str
    """As the request carries it."""
    body: bytes | None = field(repr=False)
    tell: Tell = field(repr=False)
    """Puts an own call that is over into the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found out."""

    known: KnownObjects = NOTHING_KNOWN
    version: str = ""
    """Resource version of the object that was read; empty where none was."""
    stale: bool = False
    """The request insists on another version than the object has."""
    problems: tuple[str, ...] = ()
    """Why something stays unknown; for the audit trail."""


NOTHING: Final = Found()


class Ladder:
    """Looks into clusters."""

    def __init__(self, calls: OwnCalls) -> None:
        self._calls = calls
        self._definitions = Definitions()

    async def climb(self, errand: Errand, wanted: Collection[Wanted], before: Found = NOTHING) -> Found:
        """Find out what is wanted and not known from ``before``; all anew where the object changed under our eyes."""
        deadline = _deadline()
        wanted = {*wanted, *_known(before.known)}
        for attempt in range(_ATTEMPTS):
            climb = _Climb(self._calls, self._definitions, errand, NOTHING if attempt else before, deadline)
            try:
                await climb.run(wanted)
            except _Changed:
                continue
            except LookupFailed as failure:
                climb.note(failure.reason)
            return climb.found
        return Found(problems=("the object keeps changing while it is looked at",))

    async def current_version(self, errand: Errand) -> str:
        """The version that the object of a call has now; empty where that cannot be told."""
        climb = _Climb(self._calls, self._definitions, errand, NOTHING, _deadline())
        try:
            return version_of(await climb.read(Purpose.CONFLICT, errand.action.object_path))
        except LookupFailed:
            return ""


class _Climb:
    """One look-up under way."""

    def __init__(
        self, calls: OwnCalls, known_definitions: Definitions, errand: Errand, before: Found, deadline: float
    ) -> None:
        self.found = before
        self._calls = calls
        self._definitions = known_definitions
        self._errand = errand
        self._action = errand.action
        self._deadline = deadline

    def note(self, problem: str) -> None:
        self.found = replace(self.found, problems=(*self.found.problems, problem))

    async def run(self, wanted: Collection[Wanted]) -> None:
        """Raises LookupFailed where it ends early."""
        action = self._action
        if not action.resource_request or (action.covers_all_names and not _creates(action)):
            raise LookupFailed("the call is about no single object")
        if Wanted.OLD in wanted or (Wanted.NEW in wanted and action.verb in {"update", "patch"}):
            await self._look_at_current()
        if Wanted.PARENT in wanted and self.found.known.parent is UNKNOWN:
            await self._look_at_parent()
        if Wanted.NEW in wanted and self.found.known.new is UNKNOWN:
            await self._look_ahead()

    async def read(self, purpose: Purpose, path: str) -> KubernetesObject:
        return await self._make(OwnRequest(purpose=purpose, method="GET", path=path, agent=self._errand.agent))

    async def _look_at_current(self) -> None:
        if self.found.known.old is not UNKNOWN:
            return
        if _creates(self._action):
            self._learn(old=None)
            return
        try:
            current = await self.read(Purpose.CURRENT, self._action.object_path)
        except LookupFailed as failure:
            if failure.status != 404 or not _may_create(self._action):
                raise
            self._learn(old=None)
            return
        self._learn_version(current)
        self._learn(old=current)

    async def _look_at_parent(self) -> None:
        old = self.found.known.old
        if self._action.parent_path == self._action.object_path and isinstance(old, dict):
            self._learn(parent=old)
            return
        parent = await self.read(Purpose.PARENT, self._action.parent_path)
        self._learn_version(parent)
        self._learn(parent=parent)

    async def _look_ahead(self) -> None:
        if self._action.verb == "delete":
            self._learn(new=None)
            return
        objection = await self._objection()
        if objection:
            self.note(objection)
            self._compute()
            return
        try:
            self._learn(new=await self._try_out())
        except LookupFailed as failure:
            if failure.status in _CONFLICTS and self.found.version:
                await self._check_unchanged()
            if failure.status != 400:  # what admission with side effects answers to a dry run
                raise
            self.note(failure.reason)
            self._compute()

    async def _check_unchanged(self) -> None:
        """Raises _Changed where a trial was refused for the version to which we bound it."""
        if version_of(await self.read(Purpose.CONFLICT, self._action.object_path)) != self.found.version:
            raise _Changed("the object changed while it was looked at")

    async def _objection(self) -> str:
        objection = eligibility.objection(self._action)
        if objection or eligibility.served_by(self._action) is eligibility.Group.BUILT_IN:
            return objection
        target = self._errand.place.target.name
        if self._definitions.knows(target, self._action):
            return ""
        try:
            definition = await self._make(definitions.request_for(self._action))
        except LookupFailed:
            definition = {}
        if self._definitions.keep(target, self._action, definition):
            return ""
        return f"{self._action.resource}.{self._action.group} is not known to be a custom resource"

    async def _try_out(self) -> KubernetesObject:
        body = self._errand.body
        if body is None:
            raise LookupFailed("the body is not available")
        if self.found.version:
            try:
                body = pin(self._action, body, self.found.version)
            except Unreadable as unreadable:
                raise LookupFailed(f"the write cannot be bound to a version: {unreadable.reason}") from None
        path = self._action.wire_path
        request = OwnRequest(
            purpose=Purpose.RESULT,
            method=self._action.method,
            path=f"{path}{'&' if '?' in path else '?'}dryRun=All",
            content_type=self._errand.content_type,
            body=body,
            agent=self._errand.agent,
        )
        return await self._make(request)

    def _compute(self) -> None:
        old = self.found.known.old
        result = resulting(self._action, old) if isinstance(old, dict) else UNKNOWN
        if result is UNKNOWN:
            self.note("what the write makes of the object cannot be computed exactly")
        else:
            self._learn(new=result)

    async def _make(self, request: OwnRequest) -> KubernetesObject:
        call, found = await self._calls.make(self._errand.place, request, self._deadline)
        await self._errand.tell(call)
        if found is None:
            raise LookupFailed(f"{request.purpose}: {call.problem}", call.status)
        return found

    def _learn(self, **objects: Any) -> None:
        self.found = replace(self.found, known=replace(self.found.known, **objects))

    def _learn_version(self, current: KubernetesObject) -> None:
        """The version of an object that was read. Scale, status and the object itself have one version together."""
        version = version_of(current)
        if not version:
            raise LookupFailed("the object has no version")
        if self.found.version not in {"", version}:
            raise _Changed("the object changed while it was looked at")
        stated = stated_version(self._action, self._errand.body or b"")
        self.found = replace(self.found, version=version, stale=stated not in {"", version})


def _known(known: KnownObjects) -> set[Wanted]:
    objects = {Wanted.OLD: known.old, Wanted.NEW: known.new, Wanted.PARENT: known.parent}
    return {wanted for wanted, value in objects.items() if value is not UNKNOWN}


def _deadline() -> float:
    return asyncio.get_running_loop().time() + TIMEOUT


def _creates(action: KubernetesAction) -> bool:
    return action.verb == "create" and not action.subresource


def _may_create(action: KubernetesAction) -> bool:
    """Whether the server makes the object of such a write where it is missing."""
    if action.subresource:
        return False
    return action.verb == "update" or (action.verb == "patch" and patch_type(action.content_type) == APPLY_PATCH)
