"""What goes on: the agent's own credentials out, the target's in, everything else as it was judged.

Hop-by-hop, forwarding, identity and credential headers are taken out in every spelling. The credential is bound to its
target's scheme, host and port; this stage asks for it only after the call was decided and released.
"""

from mitmproxy import http

from addons import header_rules
from addons.calls import Call, Stage, need
from addons.runtime import Runtime
from addons.visibility import Visibility, is_filtered, wants_json
from gatehold.config import Target
from gatehold.credentials.impersonation import impersonation
from gatehold.credentials.injection import Injection
from gatehold.registry import DEFAULT_PORTS
from masking.encodings import ACCEPTED
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family

_CONDITIONAL = frozenset(
    {"range", "request-range", "if-range", "if-none-match", "if-modified-since", "a-im", "want-digest",
     "want-repr-digest", "want-content-digest", "available-dictionary", "dictionary-id"}
)  # fmt: skip
"""Ask for a part of the bytes before masking, whether they changed, or what they add up to."""
_REPLACED = frozenset({"accept-encoding", "content-length"})


class Inject:
    """Rewrites the headers of a released call."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._visibility = Visibility(runtime.gateway)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Prepare one call for its target."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        target = need(call.target)
        broker = self.runtime.gateway.broker
        try:
            if is_filtered(call):
                call.outgoing_path = self._visibility.outgoing_path(call)
            injection = broker.get_cached(target.name) or await broker.get(target.name)
            if not injection.may_go_to(flow.request.scheme, flow.request.host, flow.request.port):
                raise Refusal(Code.GATEWAY_ERROR, "the credential is not for this host")
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        flow.request.path, flow.request.raw_content = call.path_to_send, call.body_to_send
        _rewrite(flow.request, call, target, injection, decodes=bool(self.runtime.echoes(call)))
        call.stamp(Stage.INJECT)


def _rewrite(request: http.Request, call: Call, target: Target, injection: Injection, *, decodes: bool) -> None:
    """``decodes``: the answer is decoded here in any case, so that it can be searched for credentials."""
    masked = wants_json(call)
    agent_reads = b"gzip" if "gzip" in request.headers.get("accept-encoding", "").lower() else b"identity"
    fields = [
        (name, value)
        for name, value in header_rules.forwarded(request.headers.fields)
        if not _dropped(header_rules.canonical(name.decode("ascii")), masked=masked)
    ]
    if target.spec.family is Family.KUBERNETES and (masked or call.needs_json):
        fields = _as_json(fields)
    fields.append((b"Accept-Encoding", ACCEPTED.encode() if masked or decodes else agent_reads))
    if request.raw_content or request.method in ("POST", "PUT", "PATCH"):
        fields.append((b"Content-Length", b"%d" % len(request.raw_content or b"")))
    if target.spec.impersonate:
        fields += [(name.encode(), value.encode()) for name, value in impersonation(need(call.agent))]
    injected = {header_rules.canonical(name) for name, _ in injection.headers}
    fields = [field for field in fields if header_rules.canonical(field[0].decode("ascii")) not in injected]
    fields += [(name.encode("ascii"), value.reveal().encode("latin-1")) for name, value in injection.headers]
    if call.handshake is not None:
        fields += call.handshake.request_fields()
    _address(request, fields)


def _dropped(name: str, *, masked: bool) -> bool:
    return name in _REPLACED or (masked and name in _CONDITIONAL)


def _as_json(fields: list[header_rules.Field]) -> list[header_rules.Field]:
    """The fields with one Accept, of all that there were, reduced to what can be read here."""
    accepted = [value.decode("latin-1") for name, value in fields if name.lower() == b"accept"]
    kept = [field for field in fields if field[0].lower() != b"accept"]
    return [*kept, (b"Accept", header_rules.json_accept(",".join(accepted)).encode("latin-1"))]


def _address(request: http.Request, fields: list[header_rules.Field]) -> None:
    """Name the target as it is registered, in the way of the protocol that the agent speaks."""
    registered = request.host.lower()
    host = f"[{registered}]" if ":" in registered else registered
    name = host if DEFAULT_PORTS.get(request.scheme) == request.port else f"{host}:{request.port}"
    if request.is_http2:
        request.authority = name
        fields = [(field.lower(), value) for field, value in fields]
    else:
        fields.insert(0, (b"Host", name.encode("ascii")))
    request.headers = http.Headers(fields)
