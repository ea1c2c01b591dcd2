"""What the gateway knows of a call while it is under way: the evidence that every stage saw it.

A :class:`Call` belongs to one flow object and lives as long as it. It is not kept in ``flow.metadata``, which any addon
or a loaded file could write: a stamp is an entry in an object that only the gateway holds.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from mitmproxy import http

from addons.conversations import Conversation
from addons.handshakes import Handshake
from gatehold.config import Target
from gatehold.config.values import Secret
from masking.edits import add_counts
from masking.errors import Unmaskable
from masking.literals import Literals
from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.errors import Refusal
from policy.model import Agent, Decision, DecisionId, DlpObligation, Obligations, WireRequest
from recordings import events

if TYPE_CHECKING:
    from gatehold.lookups.ladder import Found
    from gatehold.ruling import Ruling
    from gatehold.wiring import Gateway


class Stage(Enum):
    """The stages of a request, in the order in which they must have stamped it."""

    GUARD = auto()
    AUTHENTICATE = auto()
    CLASSIFY = auto()
    DLP = auto()
    DECIDE = auto()
    SESSION = auto()
    UPGRADE = auto()
    HOLD = auto()
    RESTORE = auto()
    INJECT = auto()
    SEAL = auto()


ALL_STAGES = tuple(Stage)
BEFORE_SEAL = tuple(stage for stage in ALL_STAGES if stage is not Stage.SEAL)


@dataclass(slots=True, kw_only=True, eq=False, repr=False, weakref_slot=True)
class Call:
    """One call, from its first header to its last byte."""

    id: DecisionId
    started: float
    ruling: "Ruling | None" = None
    """By what it is judged, masked and given a credential, from here to its last byte; see ``pinned``."""
    target: Target | None = None
    wire: WireRequest | None = None
    """As the agent sent it, but for what may not leave and is masked: what is judged, shown and recorded."""
    agent: Agent | None = None
    token: str | None = None
    """What the agent showed; verified again when the call was held."""
    action: Action | None = None
    """With what was found out about its object, once the call was judged by that."""
    decoded: Action | None = None
    """The action as the request alone tells it, where ``action`` tells more."""
    found: "Found | None" = None
    """What was found out by looking at the cluster."""
    rests_on_found: bool = False
    """The decision would have been another one without that."""
    pinned: str = ""
    """Resource version to which the gateway bound this write, by ``outgoing_body``; empty where it did not."""
    searched: DlpObligation | None = None
    """How the request was searched for protected data."""
    masked_request: dict[str, int] = field(default_factory=dict)
    """How much was hidden in the request before it was judged and sent, by entity."""
    decision: Decision | None = None
    outgoing_path: str | None = field(default=None, repr=False)
    """What is sent in place of the judged path; None: the judged path."""
    outgoing_body: bytes | None = field(default=None, repr=False)
    """What is sent in place of the judged body; None: the judged body."""
    path_with_credential: str | None = field(default=None, repr=False)
    """The path that leaves where the target's credential stands in its query; shown and recorded nowhere."""
    signed: tuple[Secret, ...] = ()
    """Signatures that were made for this call."""
    signed_echoes: Literals | None = field(default=None, repr=False)
    restored: Mapping[str, int] = field(default_factory=dict)
    """How many pseudonyms were put back on the way to the target, by entity."""
    approval: str | None = None
    grants: tuple[str, ...] = ()
    """Grants by which the call passed, where nobody had to be asked again."""
    refusal: Refusal | None = None
    masked: dict[str, int] = field(default_factory=dict)
    stamps: list[Stage] = field(default_factory=list)
    client_gone: asyncio.Event = field(default_factory=asyncio.Event)
    forwarded: bool = False
    """Bytes of this call may have reached the target."""
    described: events.Call | None = None
    """What the journal says of this call; made once, masked."""
    unmaskable: Unmaskable | None = None
    """Why the answer's headers could not be masked."""
    streamed: bool = False
    """The answer is passed on as it comes."""
    kept: bytearray = field(default_factory=bytearray)
    """Masked bytes of a streamed answer that are not recorded yet."""
    parts: int = 0
    """Parts of a streamed answer that were recorded."""
    pending_parts: list[asyncio.Future[None]] = field(default_factory=list)
    answered_bytes: int | None = None
    handshake: Handshake | None = field(default=None, repr=False)
    """A WebSocket was asked for, and may be opened once the call was released."""
    conversation: Conversation | None = field(default=None, repr=False)
    """What is said over the WebSocket that was opened."""
    timers: list[asyncio.TimerHandle] = field(default_factory=list, repr=False)
    """What would end an open WebSocket later."""
    pause: asyncio.TimerHandle | None = field(default=None, repr=False)
    """Waits for output to pause."""

    def stamp(self, stage: Stage) -> None:
        """Note that a stage has done its part."""
        self.stamps.append(stage)

    def count(self, masked: Mapping[str, int]) -> None:
        """Add what was hidden."""
        add_counts(self.masked, masked)

    @property
    def known_action(self) -> Action:
        """What is asked for; raises LookupError, and so refuses the call, where it was not decoded."""
        if self.action is None:
            raise LookupError("the call was not decoded")
        return self.action

    @property
    def bare_action(self) -> Action:
        """What is asked for as the request alone tells it; raises LookupError where it was not decoded."""
        if self.decoded is None:
            self.decoded = self.known_action
        return self.decoded

    @property
    def needs_json(self) -> bool:
        """Whether the answer has to be a whole JSON object: that of a write is compared with what was judged."""
        action = self.known_action
        return isinstance(action, KubernetesAction) and action.makes_object

    @property
    def path_to_send(self) -> str:
        """The path that leaves: the judged one, but for what the gateway itself has to put into it."""
        return self.known_action.wire_path if self.outgoing_path is None else self.outgoing_path

    @property
    def path_that_leaves(self) -> str:
        """``path_to_send`` with the target's credential, where that stands in the query."""
        return self.path_to_send if self.path_with_credential is None else self.path_with_credential

    @property
    def body_to_send(self) -> bytes | None:
        """The body that leaves: the judged one, but for what the gateway itself has to put into it."""
        return need(self.wire).body if self.outgoing_body is None else self.outgoing_body

    @property
    def obligations(self) -> Obligations:
        """What the decision asks to be done; nothing before there is one."""
        return Obligations() if self.decision is None else self.decision.obligations

    @property
    def ready_for_seal(self) -> bool:
        """Every stage before the seal stamped this call once, in order, and none refused it."""
        return self.refusal is None and tuple(self.stamps) == BEFORE_SEAL

    @property
    def sealed(self) -> bool:
        """The seal was put on, after all others."""
        return self.refusal is None and tuple(self.stamps) == ALL_STAGES


class Ledger:
    """The calls under way."""

    def __init__(self) -> None:
        self._calls: WeakKeyDictionary[http.HTTPFlow, Call] = WeakKeyDictionary()
        self._newest: tuple[ref[http.HTTPFlow], ref[Call]] | None = None
        """What was asked for last: the stages of a call ask one after the other."""

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, flow: http.HTTPFlow) -> Call:
        """Start the evidence of a flow; an earlier one of the same flow is thrown away."""
        call = Call(id=DecisionId(f"dec_{secrets.token_urlsafe(12)}"), started=time.time())
        self._calls[flow] = call
        self._newest = ref(flow), ref(call)
        return call

    def get(self, flow: http.HTTPFlow) -> Call | None:
        """The call of a flow, if it was opened."""
        newest = self._newest
        if newest is not None and newest[0]() is flow:
            return newest[1]()
        call = self._calls.get(flow)
        if call is not None:
            self._newest = ref(flow), ref(call)
        return call

    def of_client(self, client_id: str) -> list[Call]:
        """The calls of one client connection that are still under way."""
        return [call for flow, call in self._calls.items() if flow.client_conn.id == client_id]

    def unanswered(self, client_id: str) -> list[Call]:
        """Those of them for which nothing has come yet."""
        of_client = [(flow, call) for flow, call in self._calls.items() if flow.client_conn.id == client_id]
        return [call for flow, call in of_client if flow.response is None and flow.error is None]

    def sealed(self, flow: http.HTTPFlow) -> bool:
        """May this flow go upstream?"""
        call = self.get(flow)
        return call is not None and call.sealed


def pinned(gateway: "Gateway", call: Call) -> "Ruling":
    """The ruling to which a call keeps: that which was in force when it was asked for first."""
    ruling = call.ruling
    if ruling is None:
        ruling = call.ruling = gateway.in_force.ruling
    return ruling


def need[T](value: T | None) -> T:
    """A value that an earlier stage must have set; raises LookupError, and so refuses the call, where it did not."""
    if value is None:
        raise LookupError("an earlier stage left no trace on this call")
    return value
