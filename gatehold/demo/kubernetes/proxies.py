"""The proxy subresources of pods, services and nodes: whatever is behind them answers, and says what it was asked.

A pod or service answers as a little web server would, a node as its kubelet.
"""

from starlette.responses import PlainTextResponse, Response

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import encode
from gatehold.demo.kubernetes.audit import VERBS
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.requests import Call

SCHEMES = ("", "http", "https")


def respond(cluster: Cluster, call: Call) -> Response:
    """The answer from behind the proxy, to any method; raises ApiError (404, 405)."""
    target = call.target
    scheme, name, port = _named(target.name)
    if scheme not in SCHEMES:
        raise statuses.bad_request(f'invalid {target.resource.plural} request "{target.name}"')
    cluster.store.get(target.resource, target.namespace, name)
    if VERBS.get(call.method) not in target.described.verbs:
        raise statuses.method_not_allowed()
    if target.resource.plural == "nodes" and call.method == "POST" and target.rest.startswith(("run/", "exec/")):
        return PlainTextResponse("uid=0(root) gid=0(root)\n")
    told = {"behind": target.resource.plural, "name": name, "port": port, "method": call.method, "path": target.rest}
    return Response(encode(told), 200, {"Content-Type": "application/json"})


def _named(text: str) -> tuple[str, str, str]:
    """Scheme, name and port: `name`, `name:port`, `scheme:name:port`."""
    parts = text.split(":")
    if len(parts) > 2:
        return parts[0], parts[1], parts[2]
    return "", parts[0], parts[1] if len(parts) > 1 else ""
