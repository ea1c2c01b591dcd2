"""What goes on: the agent's own credentials out, the target's in, everything else as it was judged.

Hop-by-hop, forwarding, identity and credential headers are taken out in every spelling. The credential is bound to its
target's scheme, host and port; this stage asks for it only after the call was decided and released. One in the query
stands in the path that leaves and in no other one; a signature is made last, over what leaves.
"""

import asyncio
from collections.abc import Sequence

from mitmproxy import connection, http

from addons import header_rules
from addons.calls import Call, Stage, need
from addons.runtime import Runtime
from addons.visibility import Visibility, is_filtered, wants_json
from gatehold.config import Target
from gatehold.config.values import Secret
from gatehold.credentials.fields import Asker
from gatehold.credentials.impersonation import impersonation
from gatehold.credentials.injection import Injection, RequestSigner
from gatehold.credentials.parameters import with_parameters
from gatehold.registry import DEFAULT_PORTS
from masking.encodings import ACCEPTED
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, Family

_CONDITIONAL = frozenset(
    {"range", "request-range", "if-range", "if-none-match", "if-modified-since", "a-im", "want-digest",
     "want-repr-digest", "want-content-digest", "available-dictionary", "dictionary-id"}
)  # fmt: skip
"""Ask for a part of the bytes before masking, whether they changed, or what they add up to."""
_PARTS = frozenset({"range", "request-range", "if-range", "a-im"})
"""Let an agent say where an answer is cut: half of a credential that comes back is found in no spelling."""
_REPLACED = frozenset({"accept-encoding", "content-length"})
_HASHED_ON_LOOP = 256 * 1024
"""Bytes."""


type _Person = tuple[str, str]
"""Issuer and subject."""


class Inject:
    """Rewrites a released call."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._visibility = Visibility(runtime.gateway)
        self._alone: dict[str, _Person] = {}
        """By client connection: who alone may use the certificate connections behind it."""

    def client_disconnected(self, client: connection.Client) -> None:
        """Forget a connection."""
        self._alone.pop(client.id, None)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Prepare one call for its target."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        target = need(call.target)
        try:
            if is_filtered(call):
                call.outgoing_path = self._visibility.outgoing_path(call)
            injection = await self._injection(flow, call, target)
            call.path_with_credential = with_parameters(call.path_to_send, injection.query) if injection.query else None
            flow.request.path, flow.request.raw_content = call.path_that_leaves, call.body_to_send
            _rewrite(flow.request, call, target, injection, decodes=bool(self.runtime.echoes(call)))
            if injection.signer is not None:
                await _sign(flow.request, call, injection.signer)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.stamp(Stage.INJECT)

    async def _injection(self, flow: http.HTTPFlow, call: Call, target: Target) -> Injection:
        """The credential for this call. Raises Refusal where it cannot be had, or not be sent there."""
        broker, agent = self.runtime.ruling(call).broker, need(call.agent)
        asker = Asker(token=call.token, agent=agent) if call.token else None
        injection = broker.get_cached(target.name, asker)
        if injection is None:
            injection = await broker.get(target.name, asker)
            await self._verify_again(call)
        if not injection.may_go_to(flow.request.scheme, flow.request.host, flow.request.port):
            raise Refusal(Code.GATEWAY_ERROR, "the credential is not for this host")
        if injection.client_certificate is not None:
            self._keep_apart(flow.client_conn, agent)
        return injection

    async def _verify_again(self, call: Call) -> None:
        """It took up to a minute: raises Refusal where the token ended or was revoked meanwhile."""
        if call.token:
            verifier = self.runtime.gateway.verifier
            _ = verifier.verify_cached(call.token) or await verifier.verify(call.token)

    def _keep_apart(self, client: connection.Client, agent: Agent) -> None:
        """A connection that a certificate opened is one agent's: what a target ties to it is nobody else's.

        mitmproxy's connections to targets belong to the client's connection, so it is enough to let one agent only
        use a client's connection; RFC 9110, 15.5.20: a client may go on with 421 over another one.
        """
        person = (agent.issuer, agent.subject)
        if self._alone.setdefault(client.id, person) != person:
            raise Refusal(Code.MISDIRECTED, "another agent's calls to this target use this connection; open a new one")


def _rewrite(request: http.Request, call: Call, target: Target, injection: Injection, *, decodes: bool) -> None:
    """``decodes``: the answer is decoded here in any case, so that it can be searched for credentials."""
    masked = wants_json(call)
    agent_reads = b"gzip" if "gzip" in request.headers.get("accept-encoding", "").lower() else b"identity"
    fields = [
        (name, value)
        for name, value in header_rules.forwarded(request.headers.fields)
        if not _dropped(header_rules.canonical(name.decode("ascii")), masked=masked, whole=injection.is_shown)
    ]
    if target.spec.family is Family.KUBERNETES and (masked or call.needs_json):
        fields = _as_json(fields)
    fields.append((b"Accept-Encoding", ACCEPTED.encode() if masked or decodes else agent_reads))
    if request.raw_content or request.method in ("POST", "PUT", "PATCH"):
        fields.append((b"Content-Length", b"%d" % len(request.raw_content or b"")))
    if target.spec.impersonate:
        fields += [(name.encode(), value.encode()) for name, value in impersonation(need(call.agent))]
    fields = _with(fields, injection.headers)
    if injection.cookies:
        cookies = "; ".join(f"{name}={value.reveal()}" for name, value in injection.cookies)
        fields = _with(fields, (("Cookie", Secret(cookies)),))
    if call.handshake is not None:
        fields += call.handshake.request_fields()
    _address(request, fields)


def _with(fields: list[header_rules.Field], own: Sequence[tuple[str, Secret]]) -> list[header_rules.Field]:
    """The fields with these in place of all that stand under their names, in any spelling."""
    names = {header_rules.canonical(name) for name, _ in own}
    kept = [field for field in fields if header_rules.canonical(field[0].decode("ascii")) not in names]
    return kept + [(name.encode("ascii"), value.reveal().encode("latin-1")) for name, value in own]


async def _sign(request: http.Request, call: Call, signer: RequestSigner) -> None:
    """Sign what leaves; a large body is hashed beside the loop."""
    body = request.raw_content or b""
    given = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.fields]
    given = [field for field in given if field[0].lower() != "host"]
    host = request.authority if request.is_http2 else request.headers["host"]
    url = f"{request.scheme}://{host}{request.path}"
    fields = [("Host", host), *given]
    if len(body) > _HASHED_ON_LOOP:
        own = await asyncio.to_thread(signer.sign, request.method, url, fields, body)
    else:
        own = signer.sign(request.method, url, fields, body)
    call.signed = tuple(Secret(value.reveal().rpartition("=")[2]) for name, value in own if name == "Authorization")
    kept = [
        field
        for field in request.headers.fields
        if header_rules.canonical(field[0].decode("ascii")) not in signer.replaces
    ]
    signed = _with(kept, own)
    if request.is_http2:
        signed = [(field.lower(), value) for field, value in signed]
    request.headers = http.Headers(signed)


def _dropped(name: str, *, masked: bool, whole: bool) -> bool:
    return name in _REPLACED or (masked and name in _CONDITIONAL) or (whole and name in _PARTS)


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
