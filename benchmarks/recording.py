"""What recording costs: encoding a flow against the stock way, appending with group commit, verifying.

Prints a table and, with ``--json FILE``, writes the figures. Ratios hold from machine to machine; absolute figures do
not.
"""

import argparse
import asyncio
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow, tutils

from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, Family, RuleName, SessionId, TargetName, Verdict
from recordings.annotations import annotate
from recordings.events import Call, Event, intent, outcome
from recordings.flows import RecordedMessage, encode_flow
from recordings.recorder import Recorder
from recordings.verify import verify

BODY = json.dumps({"items": [{"id": n, "name": "x" * 20} for n in range(24)]}).encode()
HEADERS = tuple((b"x-header-%d" % n, b"value of a header %d" % n) for n in range(10))


def sample_call(number: int, sessions: int) -> Call:
    """The n-th of many similar calls."""
    agent = Agent(issuer="corp", subject="a1", groups=("planners",), session=SessionId(f"session-{number % sessions}"))
    rule = RuleName("planners-read-dev-pods")
    judged = Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=rule, rules=(rule,), revision="0" * 64)
    return Call(
        id=DecisionId(f"d{number:012d}"),
        agent=agent,
        target=TargetName("main"),
        family=Family.KUBERNETES,
        scheme="https",
        host="kubernetes.default.svc",
        port=443,
        method="GET",
        path="/api/v1/namespaces/dev-1/pods?limit=500",
        operation="list pods",
        verb="list",
        client=("10.0.0.9", 40000),
        time=time.time(),
        judged=judged,
    )


def per_second(work: Callable[[int], object], count: int) -> float:
    """Calls of ``work`` per second."""
    start = time.perf_counter()
    for number in range(count):
        work(number)
    return count / (time.perf_counter() - start)


def encoding(count: int) -> dict[str, float]:
    """One 1 KiB flow: our encoder, ``FlowWriter`` alone, and ``copy()`` before it."""
    flow = tflow.tflow(req=tutils.treq(headers=HEADERS), resp=tutils.tresp(headers=HEADERS, content=BODY))
    call = sample_call(0, 1)
    note = annotate(call, code=Code.ALLOWED, masked={"EMAIL_ADDRESS": 2})
    message = RecordedMessage(body=BODY)

    def ours(_: int) -> bytes:
        return encode_flow(flow, response=message, metadata=note.metadata, comment=note.comment, marked=note.marked)

    def written(_: int) -> None:
        FlowWriter(io.BytesIO()).add(flow)

    def copied(_: int) -> None:
        FlowWriter(io.BytesIO()).add(flow.copy())

    return {
        "encode, flows/s": per_second(ours, count),
        "FlowWriter, flows/s": per_second(written, count // 10),
        "copy + FlowWriter, flows/s": per_second(copied, count // 10),
        "flow, bytes": len(ours(0)),
    }


async def appending(directory: Path, count: int, *, concurrency: int, durable: bool) -> float:
    """Flows per second through the recorder, from one loop with so many callers."""
    recorder = Recorder(directory)
    recorder.start(asyncio.get_running_loop())
    flow = encode_flow(tflow.tflow(resp=tutils.tresp(content=BODY)), metadata={})
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            call = sample_call(number, 20)
            event = outcome(call, status=200, time=time.time(), length=len(BODY))
            await recorder.append(events=[event], flow=flow, session=SessionId(event.session), durable=durable)

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    rate = count / (time.perf_counter() - start)
    await recorder.stop()
    return rate


async def journal_only(directory: Path, count: int) -> None:
    """A journal of ``count`` events, half of them intents."""
    recorder = Recorder(directory)
    recorder.start(asyncio.get_running_loop())
    for start in range(0, count, 1000):
        events: list[Event] = []
        for number in range(start // 2, start // 2 + 500):
            call = sample_call(number, 20)
            events += intent(call, time=call.time), outcome(call, status=200, time=call.time)
        await recorder.append(events=events, session=SessionId("x"))
    await recorder.stop()


def verifying(directory: Path) -> float:
    """Events per second."""
    start = time.perf_counter()
    report = verify(directory)
    if not report.intact:
        raise SystemExit(report.summary())
    return report.events / (time.perf_counter() - start)


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    count: int = arguments.count
    figures = encoding(count)
    call = sample_call(0, 1)
    figures["build an event, events/s"] = per_second(lambda _: outcome(call, status=200, time=call.time).entry(), count)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for concurrency in (1, 32):
            figures[f"append, {concurrency} callers, flows/s"] = asyncio.run(
                appending(base / f"append-{concurrency}", count, concurrency=concurrency, durable=False)
            )
        figures["append durable, 32 callers, flows/s"] = asyncio.run(
            appending(base / "durable", count // 5, concurrency=32, durable=True)
        )
        figures["verify with flows, events/s"] = verifying(base / "append-32")
        asyncio.run(journal_only(base / "journal", count * 5))
        figures["verify events alone, events/s"] = verifying(base / "journal")
    for title, figure in figures.items():
        print(f"{title:40} {figure:12,.0f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
