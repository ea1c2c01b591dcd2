"""A directory for what a command needs only while it runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def private_directory() -> Iterator[Path]:
    """For its owner only (0700); removed at the end, also where a signal ends the command."""
    is_main = threading.current_thread() is threading.main_thread()
    taken = [number for number in _ENDS if is_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _end)
    try:
        with TemporaryDirectory(prefix="gatehold-") as made:
            yield Path(made)
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: object) -> NoReturn:
    """The first one counts; another would come into the removing."""
    for each in _ENDS:
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
