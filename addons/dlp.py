"""What must not leave: requests searched for protected data, before anything is done with them.

The search stands before the decision, so that neither a look at a cluster nor a question to people carries what is not
to go out. Where rules say ``mask``, the masked request takes the place of the one that came: it is decoded and judged
anew, shown, recorded and sent. So is a compressed body that was found clean, without its compression. What cannot be
searched is refused.
"""

from datetime import UTC, datetime

from mitmproxy import http

from addons import preconditions
from addons.calls import Call, Stage, need
from addons.offload import by_body, by_size, size_of
from addons.request_search import Parts, Searched, Unsearchable, search
from addons.runtime import Runtime, wire_request
from masking.edits import add_counts
from policy.codes import Code
from policy.errors import Refusal
from policy.model import DlpObligation, Family
from policy.rules.obligations import join_dlp

_ROUNDS = 3
"""A masked request may be one for other rules; more often than this it is not searched again."""


class Dlp:
    """Searches requests."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def request(self, flow: http.HTTPFlow) -> None:
        """Search one request where a rule asks for it; mask or refuse it."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            if need(call.target).name in self.runtime.ruling(call).searched:
                await self._search(flow, call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.stamp(Stage.DLP)

    async def _search(self, flow: http.HTTPFlow, call: Call) -> None:
        for _ in range(_ROUNDS):
            asked = await by_body(need(call.wire).body, self._asked, call)
            if asked is None or covers(call.searched, asked):
                return
            wanted = call.searched = join_dlp([asked] if call.searched is None else [call.searched, asked])
            searched = await self._searched(flow, call, wanted)
            if not searched.found and searched.masked.body == need(need(call.wire).body):
                return
            if searched.found and wanted.action == "block":
                raise Refusal(Code.DLP_BLOCKED, f"protected data in the request: {searched}")
            if searched.fixed & searched.found.keys():
                raise Refusal(Code.DLP_BLOCKED, f"protected data where it cannot be masked: {searched}")
            self._replace(flow, call, searched)
        raise Refusal(Code.DLP_BLOCKED, "the masked request is one for other rules again and again")

    def _asked(self, call: Call) -> DlpObligation | None:
        ruling, agent, target = self.runtime.ruling(call), need(call.agent), need(call.target).name
        return ruling.engine.dlp(agent, target, call.known_action, now=datetime.now(UTC), limits=ruling.limiting)

    async def _searched(self, flow: http.HTTPFlow, call: Call, asked: DlpObligation) -> Searched:
        body = need(call.wire).body
        if body is None:
            raise Refusal(Code.DLP_BLOCKED, "the body cannot be searched: it is not there")
        parts = Parts(path=call.known_action.wire_path, headers=flow.request.headers.fields, body=body)
        more = sum(len(name) + len(value) for name, value in parts.headers) + len(parts.path)
        size = size_of(body, parts.header("content-encoding"))
        try:
            return await by_size(
                size + more if size is not None and self.runtime.gateway.masking_ready else None,
                search,
                parts,
                self.runtime.ruling(call).masking,
                asked.profiles,
                pseudonyms=self.runtime.pseudonyms(call),
                is_kubernetes=self.runtime.family(call) is Family.KUBERNETES,
            )
        except Unsearchable as unsearchable:
            raise Refusal(Code.DLP_BLOCKED, str(unsearchable)) from None

    def _replace(self, flow: http.HTTPFlow, call: Call, searched: Searched) -> None:
        """Put the masked request in the place of the one that came; raises Refusal where it means nothing."""
        masked, limit = searched.masked, self.runtime.gateway.configuration.gateway.spec.limits.max_request_body
        if len(masked.body) > limit:
            raise Refusal(Code.TOO_LARGE, f"the request body is larger than {limit} bytes without its coding")
        flow.request.path, flow.request.raw_content = masked.path, masked.body
        flow.request.headers = http.Headers(masked.headers)
        call.wire = wire_request(flow, body=masked.body)
        call.action = self.runtime.decoded(call)
        preconditions.check(self.runtime, call)
        flow.request.path = call.action.wire_path
        for counts in searched.found.values():
            add_counts(call.masked_request, counts)


def covers(done: DlpObligation | None, asked: DlpObligation) -> bool:
    """Was a request searched as it is asked now?"""
    if done is None or not set(asked.profiles) <= set(done.profiles):
        return False
    return done.action == "block" or asked.action == "mask"
