"""GraphQL requests that would give masked fields other names: refused before anybody is asked about them."""

from addons.calls import Call, need
from addons.offload import by_size, size_of
from addons.runtime import Runtime
from masking.encodings import Limits, decode
from masking.errors import Unmaskable
from masking.graphql_requests import refuse_aliases
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family


async def refuse_hidden_aliases(runtime: Runtime, call: Call) -> None:
    """Raises Refusal ``malformed`` where the mask of the answer could not tell what stands under a name."""
    profiles, wire = call.obligations.mask.profiles, need(call.wire)
    if not profiles or runtime.family(call) is not Family.HTTP:
        return
    query = call.known_action.wire_path.partition("?")[2]
    if not wire.body and not query:
        return
    coding = next((value for name, value in wire.headers if name.lower() == "content-encoding"), "")
    size = size_of(wire.body or b"", coding)
    small = size + len(query) if size is not None and runtime.gateway.masking_ready else None
    try:
        await by_size(small, _refuse, runtime, call, query)
    except Unmaskable as unmaskable:
        raise Refusal(Code.MALFORMED, f"malformed request: {unmaskable.reason}") from None


def _refuse(runtime: Runtime, call: Call, query: str) -> None:
    wire, gateway = need(call.wire), runtime.gateway
    headers = {name.lower(): value for name, value in wire.headers}
    limits = Limits(body=gateway.configuration.gateway.spec.limits.max_request_body)
    refuse_aliases(
        runtime.ruling(call).masking,
        decode(wire.body or b"", headers.get("content-encoding", ""), limits),
        content_type=headers.get("content-type", ""),
        query=query,
        profiles=call.obligations.mask.profiles,
    )
