"""Memory of a gateway under Kubernetes watches: a busy one, an idle one, and thousands that come and go.

usage: python -m benchmarks.watch_memory [--events 5000] [--settings 2000] [--ticks 1000] [--rounds 100] [--open 50]
                                         [--json FILE]

Pods as large as real ones come, change, change their team and go, as fast as the gateway takes their events; the agent
may see the pods of one team, masked. A watch of Secrets and one of ConfigMaps follow, then one that says nothing but
bookmarks. Then ``--open`` watches are open at any time, of which the oldest leaves for each new one; every other one
was ended by its server before. Resident memory is read from ``/proc``; how it grows is told per 100,000 events of the
cluster, or per 1,000 watches, once the first fifth is through.

Then the gateway is stopped; its data directory has to verify and to hold nothing that was hidden.
"""

import argparse
import base64
import http.client
import itertools
import json
import socket
import ssl
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.exec_memory import tell
from benchmarks.stream_memory import Series, evidence
from gatehold.demo.kubernetes.population import TEAMS, populate
from gatehold.demo.serving import serve
from tests.e2e.harness import CLUSTER_TOKEN, STANDARD, GatewayProcess, Installation, installation, running

_POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: watches}
rules:
  - name: checkouts-pods
    effect: allow
    kubernetes: {targets: [main], namespaces: [load], resources: [pods], verbs: [list, watch], labels: {team: checkout}}
    mask: {profiles: [kubernetes, pii]}
  - name: settings
    effect: allow
    kubernetes: {targets: [main], namespaces: [load], resources: [secrets, configmaps], verbs: [list, watch]}
    mask: {profiles: [kubernetes, pii]}
"""
_HOST = "k8s-gateway.internal"
_LIVE = 600
"""Pods that live at the same time."""
_BUSY, _IDLE = "busy", "idle"
_SECRET = base64.b64encode(b"planted-secret-value-").decode()
_PLANTED = (b"unseen-", b"@planted.example.com", _SECRET.encode(), CLUSTER_TOKEN.encode())
_BOOKMARKS = 50
"""Events from one bookmark to the next."""
_CHUNK = 20
"""Events that are sent together."""
_LOOKS = 25
"""At the memory, in each series."""


@dataclass(slots=True)
class Watches:
    """A cluster's API that answers watches only; the label selector says which one."""

    events: int
    ticks: int
    template: dict[str, Any]
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        query, resource = scope["query_string"].decode(), scope["path"].rpartition("/")[2]
        self.asked[resource] += 1
        kind = next((each for each in (_BUSY, _IDLE) if each in query), "")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        if kind:
            events = _busy(resource, self.events, self.template) if kind == _BUSY else _idle(self.ticks)
            for chunk in itertools.batched(events, _CHUNK if kind == _BUSY else 1, strict=False):
                await send({"type": "http.response.body", "body": b"".join(chunk), "more_body": True})
        else:
            first = itertools.islice(_busy(resource, 12, self.template), 12)
            await send({"type": "http.response.body", "body": b"".join(first), "more_body": True})
            if "timeoutSeconds" not in query:
                await receive()  # the request
                await receive()  # until the client is gone
        await send({"type": "http.response.body", "body": b""})


def _busy(resource: str, events: int, template: dict[str, Any]) -> Iterator[bytes]:
    """What happens to objects of which there are always about as many; each event is sent as the server writes it."""
    made = {"pods": _pod, "secrets": _secret, "configmaps": _settings}[resource]
    live: deque[dict[str, Any]] = deque()
    for number in range(events):
        if number % _BOOKMARKS == _BOOKMARKS - 1:
            yield _event("BOOKMARK", {"metadata": {"resourceVersion": str(number + 1)}}, number)
        if number % 4 == 0 or not live:
            live.append(made(number, template))
            yield _event("ADDED", live[-1], number)
        elif len(live) > _LIVE or number % 4 == 1:
            yield _event("DELETED", live.popleft(), number)
        else:
            one = live[number * 7919 % len(live)]
            if number % 40 == 2 and one["metadata"]["name"].startswith("seen"):  # for the agent it is gone, or new
                one["metadata"]["labels"]["team"] = TEAMS[number // 40 % 2]
            yield _event("MODIFIED", one, number)


def _pod(number: int, template: dict[str, Any]) -> dict[str, Any]:
    team = TEAMS[number // 4 % len(TEAMS)]
    one = deepcopy(template)
    name = f"{'seen' if team == 'checkout' else 'unseen'}-{number}"
    labels = one["metadata"]["labels"] | {"team": team}
    one["metadata"] |= {"name": name, "uid": _uid(number), "labels": labels}
    one["metadata"]["annotations"] = {"owner": f"ada-{number}@planted.example.com"}
    return one


def _secret(number: int, _: dict[str, Any]) -> dict[str, Any]:
    data = {"password": _SECRET + base64.b64encode(b"%09d" % number).decode()}
    return _plain("Secret", number) | {"type": "Opaque", "data": data}


def _settings(number: int, _: dict[str, Any]) -> dict[str, Any]:
    return _plain("ConfigMap", number) | {"data": {"support": f"bob-{number}@planted.example.com", "level": "info"}}


def _plain(kind: str, number: int) -> dict[str, Any]:
    metadata = {"name": f"settings-{number}", "namespace": "load", "uid": _uid(number), "labels": {}}
    return {"kind": kind, "apiVersion": "v1", "metadata": metadata}


def _uid(number: int) -> str:
    return f"7d0f6a52-91c4-4b0e-9d3c-{number:012d}"


def _idle(ticks: int) -> Iterator[bytes]:
    for number in range(ticks):
        yield _event("BOOKMARK", {"metadata": {}}, number)


def _event(kind: str, one: dict[str, Any], number: int) -> bytes:
    if kind == "BOOKMARK":
        one = {"kind": "Pod", "apiVersion": "v1", "metadata": {}}
    one["metadata"]["resourceVersion"] = str(number + 1)
    return json.dumps({"type": kind, "object": one}, separators=(",", ":")).encode() + b"\n"


class Watch:
    """One watch over HTTP/1.1, on a connection of its own."""

    def __init__(self, installed: Installation, token: str, resource: str, query: str) -> None:
        context = ssl.create_default_context(cafile=str(installed.ca))
        plain = socket.create_connection(("127.0.0.1", installed.cluster_proxy_port), timeout=600)
        self._connection = http.client.HTTPSConnection(_HOST)
        self._connection.sock = context.wrap_socket(plain, server_hostname=_HOST)
        path = f"/api/v1/namespaces/load/{resource}?watch=true&resourceVersion=1&allowWatchBookmarks=true&{query}"
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise AssertionError(self._response.read())

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response.readline, b"")

    def close(self) -> None:
        """Leave."""
        self._response.close()
        self._connection.close()


def main() -> int:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description="Resident memory under watches.")
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--settings", type=int, default=2_000, help="events of Secrets, and of ConfigMaps")
    parser.add_argument("--ticks", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--open", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory)) as installed:
        (template,) = populate(installed.cluster.store, 1)
        api = Watches(options.events, options.ticks, template)
        with serve(api, certificate=installed.certificate.pair) as server:
            gateway_yaml = (STANDARD / "gateway.yaml").read_text().replace("@CLUSTER@", str(server.port))
            installed.write("gateway.yaml", gateway_yaml)
            installed.write("policy.yaml", _POLICY)
            with running(installed) as gateway:
                measured = _measured(installed, gateway, api, options)
        measured["kept"] = evidence(installed, _PLANTED)
    tell(measured, options.json)
    return 0


def _measured(
    installed: Installation, gateway: GatewayProcess, api: Watches, options: argparse.Namespace
) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    if options.events:
        measured["pods"] = _followed(installed, gateway, "pods", _BUSY, options.events)
    if options.settings:
        api.events = options.settings
        for resource in ("secrets", "configmaps"):
            measured[resource] = _followed(installed, gateway, resource, _BUSY, options.settings)
    if options.ticks:
        measured["idle"] = _followed(installed, gateway, "pods", _IDLE, options.ticks)
    if options.rounds:
        measured["many"] = _many(installed, gateway, options)
    return measured


def _followed(installed: Installation, gateway: GatewayProcess, resource: str, kind: str, sent: int) -> dict[str, Any]:
    """One watch to its end. What is counted is what the agent was told."""
    share = 3 if (resource, kind) == ("pods", _BUSY) else 1
    series, told, begun = Series(gateway, sent / share / _LOOKS), Counter[str](), time.monotonic()
    watch = Watch(installed, installed.token(), resource, f"labelSelector={kind}")
    for line in watch:
        told[line[9:].partition(b'"')[0].decode()] += 1
        series.note(told.total())
    watch.close()
    seconds = time.monotonic() - begun
    return {
        "events": sent,
        "told": dict(told),
        "seconds": round(seconds, 1),
        "events per second": round(sent / seconds),
        **series.told(100_000 / share),
    }


def _many(installed: Installation, gateway: GatewayProcess, options: argparse.Namespace) -> dict[str, Any]:
    """Watches that come and go; one in two is over when its server says so."""
    token, live, begun = installed.token(), deque[Watch](), time.monotonic()
    series = Series(gateway, options.rounds / _LOOKS)
    for number in range(options.rounds):
        resource = ("pods", "secrets", "configmaps")[number % 3]
        watch = Watch(installed, token, resource, "timeoutSeconds=1" if number % 2 else "")
        for _ in itertools.islice(watch, None if number % 2 else 1):
            pass
        live.append(watch)
        if len(live) > options.open:
            live.popleft().close()
        series.note(number)
    while live:
        live.popleft().close()
    seconds = time.monotonic() - begun
    return {"watches": options.rounds, "seconds": round(seconds, 1), **series.told(1_000)}


if __name__ == "__main__":
    sys.exit(main())
