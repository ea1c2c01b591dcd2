"""What pages are given, and how they find who is there and what was sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from gatehold.agent_api.decisions import Decisions
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.revealing import HeldRequests
from gatehold.approvals.states import ApprovalState
from gatehold.approvals.waiting import Waiter
from gatehold.config import Configuration
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.forms import Form
from gatehold.console.live import Live
from gatehold.console.problems import Refused
from gatehold.console.templating import Templates
from gatehold.identity.revocation import Revocations
from gatehold.people.model import SignedIn
from gatehold.people.tokens import Tokens
from gatehold.people.web_sessions import WebSessions
from gatehold.reloading.serving import Reloading
from gatehold.store import Store
from policy.engine import Engine
from recordings.recorder import Recorder

_LONGEST_ID: Final = 32
HTMX: Final = "HX-Request"
"""A header of requests whose answer replaces a part of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The services behind the pages. What reads or writes the store blocks: call it in a thread."""

    address: ConsoleAddress
    current: Callable[[], Configuration]
    """The configuration that is in force."""
    store: Store
    desk: ApprovalDesk
    waiter: Waiter
    held: HeldRequests
    """What waits in this process, as it was written."""
    web_sessions: WebSessions
    tokens: Tokens
    decisions: Decisions
    revocations: Revocations
    recorder: Recorder
    reloading: Reloading
    live: Live
    templates: Templates
    clock: Callable[[], float]

    @property
    def configuration(self) -> Configuration:
        """The configuration that is in force now: take it once, where things have to fit together."""
        return self.current()

    @property
    def engine(self) -> Engine:
        """Decides by the policies that are in force now."""
        return self.current().engine


def signed_in(request: Request) -> SignedIn:
    """Who is there. Raises AttributeError on routes that need nobody."""
    found: SignedIn = request.state.signed_in
    return found


def form_of(request: Request) -> Form:
    """What a form sent; the guard has read it and looked at its ``csrf``."""
    form: Form = request.state.form
    return form


def is_part(request: Request) -> bool:
    """Is a part of a page asked for, to be put into one that is open?"""
    return request.headers.get(HTMX) == "true"


def approval_id(request: Request) -> str:
    """The id in the path. Raises UnknownApproval for what can be none."""
    found: str = request.path_params["id"]
    if len(found) > _LONGEST_ID or not found.isascii():
        raise UnknownApproval(found[:_LONGEST_ID])
    return found


def state_asked_for(request: Request) -> ApprovalState | None:
    """``?state=``; None where nothing is said. Raises Refused."""
    value = request.query_params.get("state", "")
    try:
        return ApprovalState(value) if value else None
    except ValueError:
        raise Refused(400, "There is no such state.") from None
