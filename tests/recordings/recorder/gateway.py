"""A gateway whose scribe is held up, and that is killed when its calls are in the pipe; prints the scribe's number.

usage: python -m tests.recordings.recorder.gateway DIRECTORY CALLS BYTES
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.recorder import Recorder, RecorderLimits
from recordings.recorder.processes import ScribeProcess

TURNS = 20
"""Of the loop, after which the pipe holds what it can."""


async def main(directory: Path, calls: int, size: int) -> None:
    """To the end."""
    limits = RecorderLimits()
    hand = ScribeProcess(directory, limits)
    recorder = Recorder(directory, limits=limits, hand=hand)
    recorder.start(asyncio.get_running_loop())
    if hand.pid is None:
        raise RuntimeError("a scribe without a process")
    os.kill(hand.pid, signal.SIGSTOP)
    for number in range(calls):
        event = gateway_event(GatewayMove.START, time=1.0, message=str(number))
        recorder.append(events=[event], flow=b"%d:%b}" % (size, b"x" * size), session=SessionId("s"))
    for _ in range(TURNS):
        await asyncio.sleep(0)
    os.write(1, b"%d\n" % hand.pid)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
