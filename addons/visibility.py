"""Kubernetes reads that a rule opens for some objects only: what is asked for, and what of the answer may be seen.

One helper for the stages that have to do with it: ``Inject`` (tokens of chunked lists, Tables whose rows name their
objects, JSON), ``Redact`` (whole answers) and ``ResponseStream`` (watches).

A hidden object is refused exactly as a missing one: as if no rule had matched. An agent that could tell the two apart
could look for names.
"""

from mitmproxy import http

from addons.calls import Call, need, pinned
from addons.offload import by_size, size_of
from gatehold.continuation import ListCall
from gatehold.shown import Listing
from gatehold.wiring import Gateway
from masking.encodings import Decoder, Limits, coding
from masking.errors import Unmaskable
from masking.filtering.answers import Filtered
from masking.filtering.engine import check_type, filter_answer, json_text
from masking.filtering.sight import Sight
from masking.filtering.watches import WatchFilter
from policy.actions.kubernetes import KubernetesAction
from policy.actions.queries import read_parameters
from policy.actions.requestinfo import first, truth
from policy.codes import Code
from policy.errors import GateholdError, Refusal
from policy.model import FilterObligation, TargetName

_READS = frozenset({"get", "list", "watch"})
_MISSING = frozenset({404, 410})


class HiddenObject(GateholdError):
    """The one object that was asked for may not be seen, or is not there."""


def is_filtered(call: Call) -> bool:
    """Is the answer to this call reduced to some objects?"""
    return call.obligations.filter is not None


def wants_json(call: Call) -> bool:
    """Does the gateway have to read the objects of the answer?"""
    return bool(call.obligations.mask.profiles) or is_filtered(call)


class Visibility:
    """Filters the reads of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def outgoing_path(self, call: Call) -> str:
        """The path that is sent for a filtered read; raises Refusal where there is none to send."""
        action = _action(call)
        if not action.resource_request or action.verb not in _READS:
            raise Refusal(Code.GATEWAY_ERROR, reason="only reads can be filtered")
        if action.upgrade:
            raise Refusal(Code.MALFORMED, "malformed request: a filtered answer needs plain HTTP")
        if action.verb == "get" and action.method == "HEAD":
            # Without the object it cannot be judged, and the status alone would tell whether it is there.
            raise self.denial(call)
        return self._gateway.continuation.outgoing(self._list_call(call, call.path_to_send))

    def denial(self, call: Call) -> Refusal:
        """What an agent is told of a hidden object: that no rule allows the call. The decision becomes that one."""
        call.decision = pinned(self._gateway, call).engine.default_deny()
        call.masked.clear()
        decision = call.decision
        return Refusal(decision.code, decision.reason, reason="the object is hidden from this agent, or not there")

    async def filtered(self, call: Call, response: http.Response, body: bytes, limits: Limits) -> bytes:
        """A whole answer, decoded and filtered. Raises Unmaskable, and HiddenObject for one that may not be seen."""
        action, status = _action(call), response.status_code
        if action.verb == "get" and status in _MISSING:
            raise HiddenObject
        size = size_of(body, response.headers.get("content-encoding", ""))
        result = await by_size(size, self._filtered, call, response, body, limits)
        if 200 <= status < 300:
            if action.verb == "get" and not result.shown:
                raise HiddenObject
            if action.verb == "list":
                self._gateway.shown.listed(self._listing(call), shown=result.shown, hidden=result.hidden)
        return result.text.encode()

    def watch(self, call: Call, response: http.Response) -> tuple[Decoder, WatchFilter]:
        """The first steps of a watch: its content coding, then its events. Raises Unmaskable."""
        check_type(response.headers.get("content-type", ""))
        if _action(call).verb != "watch":
            raise Unmaskable("only a watch can be filtered as it comes")
        decoder = Decoder(coding(response.headers.get("content-encoding", "")), Limits())
        return decoder, WatchFilter(
            Sight(_obligation(call)), self._gateway.shown.watched(self._listing(call), _since(call))
        )

    def _filtered(self, call: Call, response: http.Response, body: bytes, limits: Limits) -> Filtered:
        list_call = self._list_call(call, _action(call).wire_path)
        text = json_text(
            body,
            content_type=response.headers.get("content-type", ""),
            content_encoding=response.headers.get("content-encoding", ""),
            limits=limits,
        )
        return filter_answer(
            text,
            sight=Sight(_obligation(call)),
            single=_action(call).verb == "get",
            failed=not 200 <= response.status_code < 300,
            seal=lambda token: self._gateway.continuation.seal(token, list_call),
        )

    @staticmethod
    def _list_call(call: Call, path: str) -> ListCall:
        return ListCall(agent=need(call.agent), target=need(call.target).name, path=path)

    @staticmethod
    def _listing(call: Call) -> Listing:
        agent, action = need(call.agent), _action(call)
        return Listing(
            session=(agent.issuer, agent.subject, agent.session),
            target=TargetName(need(call.target).name),
            group=action.group,
            resource=action.resource,
            namespace=action.namespace,
        )


def _action(call: Call) -> KubernetesAction:
    if not isinstance(call.action, KubernetesAction):
        raise LookupError("only Kubernetes calls can be filtered")  # noqa: TRY004 - as ``calls.need``
    return call.action


def _obligation(call: Call) -> FilterObligation:
    return need(call.obligations.filter)


def _since(call: Call) -> str:
    """The resourceVersion from which a watch goes on; empty where it begins with every object there is."""
    query = read_parameters(_action(call).wire_path.partition("?")[2])
    return "" if truth(query, "sendInitialEvents") else first(query, "resourceVersion")
