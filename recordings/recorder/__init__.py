"""What the data path waits for before an answer may leave: flow files and journal, written.

``recorder`` is the side of the event loop, which gives jobs and gets reports; ``jobs`` is what goes to and fro.
``scribe`` is the hand that writes. It works in a process of its own (``processes``, whose program is ``__main__``), so
that making events, encoding flows, hashing and writing take no time of the event loop.
"""

from recordings.recorder.limits import RecorderLimits
from recordings.recorder.recorder import Mode, Recorder, Sync

__all__ = ["Mode", "Recorder", "RecorderLimits", "Sync"]
