"""How long ``gatehold audit verify`` takes: a million events by default, half of them with a flow.

Makes a record of so many events by the writer itself (a few sessions, files that roll over, signed checkpoints), then
verifies it with the public key and an anchor. Prints a table and, with ``--json FILE``, writes the figures. Ratios
hold from machine to machine; absolute figures do not.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.recording import sample_call
from recordings.checkpoints import signing_key
from recordings.events import intent, outcome
from recordings.lines import Entry
from recordings.verify import read_anchors, verify
from recordings.writer import Record, Writer

BATCH = 500
"""Calls in one write."""
SESSIONS = 20
FLOW = 1024


def calls(count: int) -> Iterator[Record]:
    """Intent and outcome of each call, with a flow; events are made once and given another id each time."""
    samples = []
    for number in range(SESSIONS):
        call = sample_call(number, SESSIONS)
        pair = (
            intent(call, time=call.time).entry(),
            outcome(call, status=200, time=call.time, masked={"EMAIL": 2}).entry(),
        )
        samples.append((call.id, pair))
    for number in range(count):
        sample, pair = samples[number % SESSIONS]
        decision = f"d{number:012d}"
        entries = tuple(_renamed(entry, sample, decision) for entry in pair)
        body = b"%0*d" % (FLOW, number)
        yield Record(entries=entries, flow=b"%d:%b}" % (FLOW, body), session=pair[0].session)


def _renamed(entry: Entry, old: str, new: str) -> Entry:
    body = entry.body.replace(old.encode(), new.encode())
    return Entry(kind=entry.kind, body=body, decision=new, session=entry.session)


def write(directory: Path, events: int) -> None:
    """A record of so many events."""
    writer = Writer.open(directory)
    batch: list[Record] = []
    for record in calls(events // 2):
        batch.append(record)
        if len(batch) == BATCH:
            writer.write(batch)
            writer.sync()
            writer.tidy()
            batch.clear()
    writer.write(batch)
    writer.close()


def main() -> None:
    """Write, verify, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="Keep the record here, and use it again.")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory: Path = arguments.directory or Path(name) / "data"
        if not directory.exists():
            write(directory, arguments.events)
        anchors = read_anchors(max((directory / "journal").rglob("*.checkpoint")))
        key = signing_key(directory).public_key()
        start, used = time.perf_counter(), time.process_time()
        report = verify(directory, keys=[key], anchors=anchors)
        seconds, processor = time.perf_counter() - start, time.process_time() - used
    if not report.intact:
        raise SystemExit(report.summary())
    figures = {
        "events": report.events,
        "flows": report.flows,
        "checkpoints": report.checkpoints,
        "seconds": seconds,
        "processor seconds": processor,
        "seconds per million events": seconds * 1e6 / report.events,
    }
    for title, figure in figures.items():
        print(f"{title:30} {figure:12,.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
