"""A recorder under load that is to be killed; prints the number of its scribe's process, and then the id of each call as
soon as it may be answered.

usage: python -m tests.recordings.killed DIRECTORY NUMBER
"""

import asyncio
import os
import sys
from pathlib import Path

from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.events import Event
from recordings.journal import JournalLimits
from recordings.ocsf import Kind
from recordings.recorder import Recorder, RecorderLimits
from recordings.recorder.processes import ScribeProcess
from recordings.writer import WriterLimits

LIMITS = RecorderLimits(
    interval=0.02, writer=WriterLimits(journal=JournalLimits(file_size=60_000, checkpoint_events=20), part_size=4000)
)


async def call(recorder: Recorder, decision: str, number: int) -> None:
    """An intent that waits for the disk, an outcome with a flow; then the answer leaves."""
    session = SessionId(f"s-{number % 3}")
    body = b"%s %d" % (decision.encode(), number)
    flow = b"%d:%b}" % (len(body), body)
    data = gateway_event(GatewayMove.START, time=1.0).data
    announced = Event(kind=Kind.INTENT, data=data, decision=decision, session=session)
    ended = Event(kind=Kind.OUTCOME, data=data, decision=decision, session=session)
    await recorder.append(events=[announced], session=session, durable=number % 5 == 0)
    await recorder.append(events=[ended], flow=flow, session=session)
    os.write(1, f"{decision}\n".encode())


async def main(directory: Path, start: str) -> None:
    """Four agents, for ever."""
    hand = ScribeProcess(directory, LIMITS)
    recorder = Recorder(directory, limits=LIMITS, hand=hand)
    recorder.start(asyncio.get_running_loop())
    os.write(1, f"{hand.pid}\n".encode())

    async def agent(name: int) -> None:
        number = 0
        while True:
            await call(recorder, f"d-{start}-{name}-{number}", number)
            number += 1

    await asyncio.gather(*(agent(name) for name in range(4)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
