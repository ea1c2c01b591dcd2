"""What holding a policy against recordings costs: reading calls from flow files, judging each by two policies.

Prints a table and, with ``--json FILE``, writes the figures. Bound: 100,000 calls in 60 seconds of one
processor, which is what it takes where nobody else works.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mitmproxy import http
from mitmproxy.test import tflow

from gatehold.config import Configuration, load
from gatehold.history.noting import InputNotes, Kept
from gatehold.history.reading import read
from gatehold.scrubbing import Scrubber
from masking.engine import MaskingEngine
from masking.profiles import resolve
from policy.actions.decoding import decode
from policy.history.comparing import Change, Comparison, compare
from policy.model import Agent, DecisionId, SessionId, TargetName, WireRequest
from recordings.annotations import annotate
from recordings.events import Call
from recordings.flows import RecordedMessage, encode_flow

EXAMPLE = Path(__file__).parent.parent / "examples" / "basic"
BOUND = 60.0
EVERY = 40.0
"""Seconds between calls: few enough for the limits of the example."""
ANSWER = json.dumps({"items": [{"id": n, "name": "x" * 20} for n in range(24)]}).encode()
PODS = "/api/v1/namespaces/prod/pods?limit=500"
SCALE = "/apis/apps/v1/namespaces/prod/deployments/web/scale"
MERGE = (("Content-Type", "application/merge-patch+json"),)
POST = (("Content-Type", "application/json"),)
SHORT_OF_GROUP = "agents: {groups: [planners]}\n    http: {targets: [crm], methods: [GET, HEAD]"
_NO_GROUP = "agents: {groups: [readers]}\n    http: {targets: [crm], methods: [GET, HEAD]"


def requests(count: int) -> Iterator[tuple[str, str, WireRequest]]:
    """Group, target and request of so many calls: reads and writes, half of them conditional, some masked."""
    for n in range(count):
        kind = n % 5
        if kind == 0:
            yield "planners", "crm", WireRequest(method="GET", path=f"/customers/{n % 700}", body=b"")
        elif kind == 1:
            path = f"/customers/{n % 700}?mail=ada.l{n % 90}@example.com"
            yield "planners", "crm", WireRequest(method="GET", path=path, body=b"")
        elif kind == 2:
            body = json.dumps({"title": f"It is broken {n}", "text": "y" * 300}).encode()
            path = "/repos/acme/shop/issues"
            yield "planners", "github", WireRequest(method="POST", path=path, headers=POST, body=body)
        elif kind == 3:
            yield (
                "operators",
                "main",
                WireRequest(method="GET", path="/api/v1/namespaces/prod/pods?limit=500", body=b""),
            )
        else:
            body = json.dumps({"spec": {"replicas": n % 20}}).encode()
            yield "operators", "main", WireRequest(method="PATCH", path=SCALE, headers=MERGE, body=body)


def write(directory: Path, configuration: Configuration, count: int) -> int:
    """Record so many calls, in files of 5,000; their bytes."""
    engine = configuration.engine
    scrubber = Scrubber(
        MaskingEngine(resolve({})),
        {name: engine.record_profiles(TargetName(name)) for name in configuration.targets},
        frozenset({"authorization"}),
    )
    notes, flow, size = InputNotes(scrubber), tflow.tflow(resp=True), 0
    agents = {
        group: Agent(issuer="local", subject=f"{group}-1", groups=(group,), claims={"aud": "gatehold", "sub": group})
        for group in ("planners", "operators")
    }
    records = list[bytes]()
    started = time.time() - EVERY * count
    for number, (group, name, wire) in enumerate(requests(count)):
        target, agent = configuration.targets[name], agents[group]
        action = decode(target.traits, wire)
        now = started + EVERY * number
        judged = engine.decide(agent, target.name, action, now=moment(now))
        kept = Kept(
            path=scrubber.text(action.wire_path, target),
            headers=scrubber.headers(wire.headers, target),
            body=scrubber.body(wire, target),
        )
        call = Call(
            id=DecisionId(f"dec_{number}"),
            agent=Agent(issuer=agent.issuer, subject=agent.subject, session=SessionId(f"session-{number // 5000}")),
            target=target.name,
            family=target.spec.family,
            scheme="https",
            host="host",
            port=443,
            method=wire.method,
            path=kept.path,
            operation="",
            verb=wire.method,
            client=("10.0.0.9", 40000),
            time=now,
            judged=judged,
        )
        noted = notes.note(agent=agent, target=target, action=action, wire=wire, kept=kept, at=now)
        remarks = annotate(call, code=judged.code, judged_by=noted)
        flow.request = http.Request.make(wire.method, f"https://host{kept.path}")
        flow.timestamp_created = now
        message = RecordedMessage(path=kept.path, headers=kept.headers, body=kept.body, decoded=True)
        answer = RecordedMessage(body=ANSWER)
        records.append(encode_flow(flow, request=message, response=answer, metadata=remarks.metadata))
        if len(records) == 5000 or number == count - 1:
            content = b"".join(records)
            size += len(content)
            (directory / f"{number:09d}-1.flow").write_bytes(content)
            records.clear()
    return size


def moment(seconds: float) -> datetime:
    """A time with its zone."""
    return datetime.fromtimestamp(seconds, UTC)


def main() -> None:
    """Record, then compare with the same policy and with a narrower one."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        flows, narrower = directory / "flows", directory / "candidate"
        flows.mkdir()
        narrower.mkdir()
        for file in EXAMPLE.glob("*.yaml"):
            (narrower / file.name).write_text(file.read_text().replace(SHORT_OF_GROUP, _NO_GROUP))
        current, candidate = load(EXAMPLE), load(narrower)
        figures["MB recorded"] = write(flows, current, chosen.calls) / 1e6
        for name, other in (("the same policy", current), ("a narrower policy", candidate)):
            start, worked, comparison = time.perf_counter(), time.process_time(), Comparison()
            found = compare(current.engine, other.engine, read(flows).calls(), comparison)
            changed = sum(isinstance(each, Change) for each in found)
            figures[f"{name}, s"] = time.perf_counter() - start
            figures[f"{name}, s of processor"] = time.process_time() - worked
            figures[f"{name}, changed"] = changed
            figures[f"{name}, incomparable"] = comparison.incomparable
    for name, figure in figures.items():
        print(f"{name:32} {figure:12,.1f}")
    bound = BOUND * chosen.calls / 100_000
    worst = max(figure for name, figure in figures.items() if name.endswith("s of processor"))
    print(f"{'within' if worst <= bound else 'BEYOND'} the bound of {bound:.0f} s of one processor")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
