"""What filtering adds to a list of 300 pods: decode the request, decide it, take hidden pods out of the answer.

usage: python -m benchmarks.filtering [--pods 300] [--rounds 30] [--json FILE]

The pods are as large as real ones, managed fields included. The transfer is measured beside it in the same rounds: the
same list over TLS from the Kubernetes double to a client, with gzip and without. Medians are printed.
"""

import argparse
import gzip
import json
import ssl
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml

from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.population import populate
from gatehold.demo.serving import make_certificate, serve
from masking.encodings import Limits
from masking.filtering.engine import filter_answer, json_text
from masking.filtering.sight import Sight
from policy.actions.decoding import decode
from policy.engine import Engine
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.schema import PolicyDocument

TARGET, TOKEN = TargetName("main"), "benchmark-credential"
PATH = "/api/v1/namespaces/load/pods?limit=500"
POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: bench}
rules:
  - name: pods-of-a-team
    effect: allow
    kubernetes: {targets: [main], resources: [pods], verbs: [get, list, watch], labels: {team: checkout}}
"""


def made_engine() -> tuple[Engine, TargetTraits]:
    """An engine with one door that is narrowed by labels."""
    traits = TargetTraits(name=TARGET, family=Family.KUBERNETES)
    return Engine.compile([PolicyDocument.model_validate(yaml.safe_load(POLICY))], {TARGET: traits}), traits


def governed(engine: Engine, traits: TargetTraits, body: bytes, encoding: str) -> bytes:
    """What the gateway does for one list."""
    action = decode(traits, WireRequest(method="GET", path=PATH, headers=(("Accept", "application/json"),), body=b""))
    decision = engine.decide(Agent(issuer="corp", subject="a1"), TARGET, action, now=datetime.now(UTC))
    if decision.obligations.filter is None:
        raise SystemExit("the rule does not filter")
    text = json_text(body, content_type="application/json", content_encoding=encoding, limits=Limits())
    sight = Sight(decision.obligations.filter)
    return filter_answer(text, sight=sight, single=False, failed=False, seal=str).text.encode()


def fetch(url: str, context: ssl.SSLContext, encoding: str) -> bytes:
    """The list, over a connection of its own."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json", "Accept-Encoding": encoding}
    with urllib.request.urlopen(urllib.request.Request(url + PATH, headers=headers), context=context) as answer:  # noqa: S310
        return bytes(answer.read())


def milliseconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def measured(pods: int, rounds: int) -> dict[str, float]:
    """All figures, in milliseconds and bytes."""
    cluster = Cluster(token=TOKEN)
    populate(cluster.store, pods)
    engine, traits = made_engine()
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory), ("127.0.0.1",))
        context = ssl.create_default_context(cafile=str(certificate.authority))
        with serve(kubernetes_app(cluster), certificate=certificate.pair) as server:
            body = fetch(server.url, context, "identity")
            packed = gzip.compress(body, compresslevel=1)
            works: dict[str, Callable[[], object]] = {
                "transfer": lambda: fetch(server.url, context, "identity"),
                "transfer, gzip": lambda: fetch(server.url, context, "gzip"),
                "decode, decide, filter": lambda: governed(engine, traits, body, ""),
                "decode, decide, filter, gzip": lambda: governed(engine, traits, packed, "gzip"),
            }
            taken: dict[str, list[float]] = {name: [] for name in works}
            for _ in range(rounds):
                for name, work in works.items():
                    taken[name].append(milliseconds(work))
            kept = len(governed(engine, traits, body, ""))
    return {"bytes": len(body), "bytes kept": kept} | {name: statistics.median(each) for name, each in taken.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pods", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measured(options.pods, options.rounds)
    for name, figure in figures.items():
        print(f"{name:32} {figure:12.1f}{'' if name.startswith('bytes') else ' ms'}")
    if options.json:
        options.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
