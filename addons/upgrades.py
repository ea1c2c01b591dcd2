"""Which allowed calls may become a tunnel: exec, attach and port-forward of pods, and what an http rule opens.

Runs after policy: who may not open a shell reads the rule's reason, whichever protocol was tried. Before approval:
nobody is asked about a call that could not be made. SPDY would be an opaque stream and is refused; so is a call for a
tunnel that asks for no upgrade, and an upgrade of anything else.
"""

import time
from collections import OrderedDict

from mitmproxy import http

from addons.calls import Call, Stage, need
from addons.handshakes import PROTOCOLS, Handshake, read_free_handshake, read_handshake
from addons.runtime import Runtime
from gatehold.config import Target
from gatehold.registry import DEFAULT_PORTS
from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.engine import Engine
from policy.errors import Refusal
from policy.rules.schema import HttpSpec

_WEBSOCKET = "websocket"
_REMEMBERED = 60.0
"""Seconds in which kubectl falls back to SPDY after its WebSocket attempt was refused."""
_MOST = 1024

type _Key = tuple[str, str, str, str]


class Upgrades:
    """Reads the handshakes of allowed calls.

    kubectl tries SPDY whenever a WebSocket attempt failed, and shows only how that was answered. So SPDY gets the
    answer that the same agent's WebSocket attempt at the same address got shortly before (an approval is pending, the
    budget is spent); it is never let through.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._refused: OrderedDict[_Key, tuple[float, Refusal]] = OrderedDict()

    def request(self, flow: http.HTTPFlow) -> None:
        """Note the handshake of a tunnel, or refuse it."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            call.handshake = _handshake(flow.request, call.known_action)
            if call.handshake is not None and call.obligations.dlp is not None:
                _check_searchable(call.known_action)
        except Refusal as refusal:
            before = self._before(call) if is_spdy(call.known_action) else None
            self.runtime.refuse(flow, before or refusal)
            return
        call.stamp(Stage.UPGRADE)

    def response(self, flow: http.HTTPFlow) -> None:
        """Remember how a WebSocket attempt was refused."""
        call = self.runtime.ledger.get(flow)
        if call is None or call.handshake is None or call.refusal is None:
            return
        self._refused[_key(call)] = time.monotonic(), call.refusal
        self._refused.move_to_end(_key(call))
        if len(self._refused) > _MOST:
            self._refused.popitem(last=False)

    def _before(self, call: Call) -> Refusal | None:
        """How the WebSocket attempt before this one was refused."""
        when, refusal = self._refused.pop(_key(call), (0.0, None))
        return refusal if time.monotonic() - when < _REMEMBERED else None


def _key(call: Call) -> _Key:
    agent = need(call.agent)
    return agent.issuer, agent.subject, need(call.target).name, call.known_action.wire_path


def is_opened(engine: Engine, target: Target, request: http.Request) -> bool:
    """Is there a rule that could open what an http call wants to switch to?"""
    if request.headers.get("upgrade", "").strip().lower() != _WEBSOCKET:
        return False
    return any(isinstance(rule.match, HttpSpec) and rule.match.upgrade for rule in engine.rules_of(target.name))


def _handshake(request: http.Request, action: Action) -> Handshake | None:
    """The handshake of the tunnel that a call asks for; None for an ordinary call. Raises Refusal ``malformed``."""
    if isinstance(action, HttpAction):
        if not action.upgrade:
            return None
        if action.upgrade.strip().lower() != _WEBSOCKET:
            raise _refused("the only protocol to switch to is WebSocket")
        handshake = read_free_handshake(request)
        if "origin" in request.headers:
            # The agent's is of no page of the target's, and servers compare; the gateway speaks for itself.
            request.headers["origin"] = _origin(request)
        return handshake
    protocols = allowed_protocols(action)
    return read_handshake(request, protocols) if protocols else None


def _check_searchable(action: Action) -> None:
    """Raises Refusal for a tunnel whose input has to be searched and cannot be."""
    if not isinstance(action, KubernetesAction):
        return
    if action.subresource == "portforward":
        raise Refusal(Code.DLP_BLOCKED, "what goes through a port-forward cannot be searched")
    if action.stdin and action.tty:
        raise Refusal(Code.DLP_BLOCKED, "what is typed at a terminal cannot be searched: open it without a terminal")


def _origin(request: http.Request) -> str:
    host = f"[{request.host}]" if ":" in request.host else request.host.lower()
    port = "" if DEFAULT_PORTS.get(request.scheme) == request.port else f":{request.port}"
    return f"{request.scheme}://{host}{port}"


def is_spdy(action: Action) -> bool:
    """Does a call ask for SPDY?"""
    return isinstance(action, KubernetesAction) and action.upgrade.strip().lower().startswith("spdy/")


def allowed_protocols(action: Action) -> tuple[str, ...]:
    """The subprotocols of the tunnel that a call asks for; none for an ordinary call. Raises Refusal ``malformed``."""
    if not isinstance(action, KubernetesAction):
        return ()
    upgrade = action.upgrade.strip().lower()
    opens = action.resource_request and (action.group, action.resource) == ("", "pods")
    protocols = PROTOCOLS.get(action.subresource, ()) if opens else ()
    if not protocols:
        if upgrade:
            raise _refused("only exec, attach and portforward of pods may switch protocols; watch and log come without")
        return ()
    if is_spdy(action):
        raise _refused("SPDY is not supported: kubectl 1.31 or later, which speaks WebSocket, is needed")
    if upgrade != _WEBSOCKET:
        raise _refused(f"{action.subresource} needs an upgrade to WebSocket")
    return protocols


def _refused(detail: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"malformed request: {detail}")
