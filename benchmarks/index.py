"""What the index of recordings costs, and what it saves: a million calls by default, two lines of the journal each.

Makes a record of so many calls by the writer itself, indexes it, and asks: sessions, one decision, the newest fifty
calls of one agent, a page that goes back, and the plan of a retention. Prints a table and, with ``--json FILE``, writes
the figures. Ratios hold from machine to machine; absolute figures do not.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from benchmarks.verify import write
from recordings.index.asking import Index
from recordings.index.schema import remove
from recordings.listing import CALLS, Filter
from recordings.querying import Query
from recordings.retention import Kept, Retention, Wanted


def main() -> None:
    """Write, index, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="Keep the record here, and use it again.")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory: Path = arguments.directory or Path(name) / "data"
        if not directory.exists():
            write(directory, arguments.calls * 2)
        figures = measured(directory)
    for what, value in figures.items():
        print(f"{what:<32} {value:>14,.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measured(directory: Path) -> dict[str, float]:
    """Seconds, bytes, and lines a second."""
    remove(directory)
    journal = sum(path.stat().st_size for path in (directory / "journal").rglob("*"))
    with Index(directory) as index:
        used = time.process_time()
        building = taken(index.update)
        used = time.process_time() - used
        size = index.size()
        row = next(index.newest(Query(only=Filter(kinds=CALLS)))).row
        of_agent = Query(only=Filter(agent=row.agent, kinds=CALLS))
        figures = {
            "lines": float(size["lines"]),
            "bytes of the journal": float(journal),
            "bytes of the index": float(size["bytes"]),
            "s to build": building,
            "s of a processor to build": used,
            "lines/s of a processor": size["lines"] / used,
            "s: one decision": taken(lambda: index.timeline(row.decision)),
            "s: newest 50 of an agent": taken(lambda: list(islice(index.newest(of_agent), 50))),
            "s: sessions, all": taken(lambda: index.sessions(Query())),
            "s: sessions of an agent": taken(lambda: index.sessions(of_agent)),
            "s: a resource that is not there": taken(lambda: list(index.newest(Query(code="none")))),
        }
    retention = Retention(directory)
    now = time.time() + 1e6
    figures["s: plan of a retention, cold"] = taken(lambda: retention.plan(Wanted(retain=1.0), Kept(), now=now))
    figures["s: plan of a retention, again"] = taken(lambda: retention.plan(Wanted(retain=1.0), Kept(), now=now))
    figures["MiB of memory at most"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def taken(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
