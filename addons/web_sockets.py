"""Open tunnels: begins a conversation for each, hands it its messages, keeps it short-lived and on record.

A tunnel ends with the agent's token. Its messages are recorded in parts of bounded size, as mitmproxy flows; nothing
else of them stays in memory. Recording that falls behind holds the tunnel up, and recording that fails ends it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from weakref import ref

from mitmproxy import http

from addons import tunnels
from addons.calls import Call, need
from addons.conversations import STDERR, STDOUT, Conversation, Forwarding, Session, Shape
from addons.exchanges import PATIENCE, Exchange, Terms
from addons.handshakes import PORTFORWARD, V5
from addons.input_search import InputSearch
from addons.offload import ON_LOOP
from addons.output_channels import OutputChannel
from addons.record import Recording, is_due
from addons.runtime import Runtime
from masking.errors import Unmaskable
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.model import DecisionId

_BEHIND = 4
"""Parts that may be on their way to the disk."""
_PAUSE = 0.1
"""Seconds without output after which the beginning of a line is shown to somebody who types."""
_GRACE = 5.0
"""Seconds in which a tunnel that was cut must be closed; then its connection is."""


class WebSockets:
    """Runs the conversations of open tunnels."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording
        self._working: set[DecisionId] = set()
        """Calls of which a thread works off a message."""

    async def websocket_start(self, flow: http.HTTPFlow) -> None:
        """Begin the conversation of a tunnel."""
        call = self.runtime.call(flow)
        if not call.sealed or call.handshake is None:
            raise LookupError("a tunnel was opened that nobody asked for")
        protocol = need(flow.response).headers.get("sec-websocket-protocol", "")
        masking_work = self.runtime.gateway.masking_work
        if isinstance(call.known_action, HttpAction):
            call.conversation = await masking_work(self._exchange, call)
        elif protocol == PORTFORWARD:
            call.conversation = Forwarding()
        else:
            call.conversation = await masking_work(self._session, call, protocol)
        call.streamed, call.answered_bytes = True, 0
        cut = self._cutter(flow, call)
        self.runtime.open_streams.add(call, flow, cut, self._keep_up)
        left = need(call.agent).expires_at - time.time()
        expiry = self.runtime.later(left, lambda: cut("the agent's token has expired"))
        call.timers.append(expiry)

    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Hand over one message; without one, what was held back is looked at, or given on at the end."""
        call = self.runtime.call(flow)
        conversation, socket = need(call.conversation), need(flow.websocket)
        self._stop_waiting(call)
        if not socket.messages:
            await self._work(
                call, conversation, 0, conversation.flush if socket.timestamp_end is None else conversation.finish
            )
            self._account(call, 0)
            return
        message = socket.messages[-1]
        receive = partial(
            conversation.receive, message.content, from_client=message.from_client, is_text=message.is_text
        )
        await self._work(call, conversation, len(message.content), receive)
        self._account(call, 0 if message.from_client else len(message.content))
        await self._record(flow, call)
        if conversation.may_flush and conversation.ended is None:
            here = ref(flow)
            call.pause = self.runtime.later(_PAUSE, lambda: self._flush(here))

    async def _work(self, call: Call, conversation: Conversation, size: int, work: Callable[[], None]) -> None:
        """Long output may take long to mask, and any does that a language model reads; the loop is everybody's."""
        if not self._takes_long(call, conversation, size):
            work()
            return
        self._working.add(call.id)
        try:
            await asyncio.to_thread(work)
        finally:
            self._working.discard(call.id)

    def _takes_long(self, call: Call, conversation: Conversation, size: int) -> bool:
        if isinstance(conversation, Forwarding):
            return False
        return size + conversation.held > ON_LOOP or self.runtime.ruling(call).masking.asks_models

    async def websocket_end(self, flow: http.HTTPFlow) -> None:
        """Write the rest of the recording, and how it ended."""
        call = self.runtime.call(flow)
        self.runtime.open_streams.remove(flow)
        self._stop_waiting(call)
        for timer in call.timers:
            timer.cancel()
        conversation, socket = call.conversation, need(flow.websocket)
        if conversation is not None:
            ended = conversation.dialogue
            ended.ended, ended.closed_by_client = socket.timestamp_end, socket.closed_by_client
            ended.close_code = socket.close_code
            self._account(call, 0)
        for written in call.pending_parts:
            await written
        call.pending_parts.clear()
        await self.recording.outcome(flow, call)

    def _session(self, call: Call, protocol: str) -> Session:
        ruling, action, asked = self.runtime.ruling(call), call.known_action, call.obligations.mask
        search = call.obligations.dlp
        if not isinstance(action, KubernetesAction):
            raise TypeError("a session is Kubernetes'")
        echoes, masking = self.runtime.echoes(call), ruling.masking
        owner = self.runtime.pseudonyms(call)

        def output() -> OutputChannel:
            mask = masking.open_terminal(profiles=asked.profiles, pseudonyms=owner) if asked.profiles else None
            return OutputChannel(mask=mask, literals=echoes, on_unmaskable=asked.on_unmaskable)

        def tell(text: str) -> str:
            clean = echoes.replace(text.encode("utf-8", "replace")).decode("utf-8", "replace")
            return masking.mask_text(clean, profiles=asked.profiles, pseudonyms=owner)[0]

        sought = search.profiles if search else ()
        kept = dict.fromkeys((*ruling.scrubber.profiles(call.target), *asked.profiles, *sought))
        return Session(
            Shape(stdin=action.stdin, tty=action.tty, closes=protocol == V5),
            {STDOUT: output(), STDERR: output()},
            tell=tell,
            typed=masking.open_input(profiles=tuple(kept), tty=action.tty),
            search=InputSearch(
                masking.open_terminal(profiles=search.profiles, pseudonyms=owner), replaces=search.action == "mask"
            )
            if search
            else None,
        )

    def _exchange(self, call: Call) -> Exchange:
        ruling, asked, search = self.runtime.ruling(call), call.obligations.mask, call.obligations.dlp
        masking, owner = ruling.masking, self.runtime.pseudonyms(call)
        dlp = search.profiles if search else ()
        kept = tuple(dict.fromkeys((*ruling.scrubber.profiles(call.target), *asked.profiles, *dlp)))

        def searched(content: bytes) -> tuple[bytes, Mapping[str, int]]:
            masked = masking.mask_body(content, content_type="", profiles=dlp, pseudonyms=owner)
            return masked.body, masked.counts

        def keep(content: bytes, is_text: bool) -> bytes:
            try:
                if is_text or not kept:
                    return masking.mask_body(content, content_type="", profiles=kept).body
            except Unmaskable as unmaskable:
                return f"[{len(content)} bytes left out: {unmaskable.reason}]".encode()
            return f"[{len(content)} bytes left out: no text]".encode()

        terms = Terms(
            mask=masking.open_messages(profiles=asked.profiles, pseudonyms=owner) if asked.profiles else None,
            on_unmaskable=asked.on_unmaskable,
            search=searched if search else None,
            replaces=search is not None and search.action == "mask",
        )
        return Exchange(terms, echoes=self.runtime.echoes(call), keep=keep)

    def _cutter(self, flow: http.HTTPFlow, call: Call) -> "Cutter":
        return Cutter(self.runtime, ref(flow), ref(call))

    def _flush(self, here: "ref[http.HTTPFlow]") -> None:
        """Nothing came for a while: show what waits for the end of its line."""
        flow = here()
        call = self.runtime.ledger.get(flow) if flow is not None else None
        if flow is None or call is None or call.conversation is None:
            return
        call.pause = None
        if not self._takes_long(call, call.conversation, 0):  # else it is done in a thread once the tunnel was woken
            call.conversation.flush()
            self._account(call, 0)
        if isinstance(call.conversation, Exchange) and call.conversation.may_flush:
            call.pause = self.runtime.later(PATIENCE, lambda: self._flush(here))
        tunnels.wake(flow)

    @staticmethod
    def _stop_waiting(call: Call) -> None:
        if call.pause is not None:
            call.pause.cancel()
            call.pause = None

    @staticmethod
    def _account(call: Call, size: int) -> None:
        call.answered_bytes = (call.answered_bytes or 0) + size
        if isinstance(call.conversation, Session | Exchange):
            call.masked = call.conversation.counts()

    async def _record(self, flow: http.HTTPFlow, call: Call) -> None:
        self._write_due(flow, call)
        while len(call.pending_parts) > _BEHIND:
            await call.pending_parts.pop(0)

    def _keep_up(self, flow: http.HTTPFlow) -> None:
        """See ``OpenStream``."""
        call = self.runtime.ledger.get(flow)
        if call is not None and call.conversation is not None and call.id not in self._working:
            self._write_due(flow, call)

    def _write_due(self, flow: http.HTTPFlow, call: Call) -> None:
        dialogue = need(call.conversation).dialogue
        if dialogue.messages and is_due(call, dialogue.size, dialogue.messages[0].time):
            self.recording.part(flow, call)
            dialogue.clear()


class Cutter:
    """Ends one tunnel when it is called; holds neither its flow nor its call."""

    def __init__(self, runtime: Runtime, flow: "ref[http.HTTPFlow]", call: "ref[Call]") -> None:
        self._runtime = runtime
        self._flow = flow
        self._call = call

    def __call__(self, why: str) -> None:
        """End it, and its connection should that not be enough."""
        flow, call = self._flow(), self._call()
        if flow is None or call is None or call.conversation is None or not flow.live:
            return
        call.conversation.cut(why)
        tunnels.wake(flow)
        client_id, runtime = flow.client_conn.id, self._runtime
        call.timers.append(runtime.later(_GRACE, lambda: runtime.hang_up(client_id)))
