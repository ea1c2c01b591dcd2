"""What the garbage collector looks at: not what stays for as long as the process.

A full collection of everything that was imported and compiled holds up every call for more than a tenth of a second;
so none is made for a last time either.

What is left is small, and is collected more often than Python would. A connection that is over is a cycle of few
objects with a TLS session behind them: by Python's own thresholds those of a thousand connections would gather, a
hundred megabytes. By a quarter of what the last full collection found is judged whether the next one is due, so it is
asked once to look at the nothing that is there.
"""

import gc
import threading

THRESHOLDS = (2000, 3, 2)
"""Objects that are new, collections of these, collections of what outlived one: after more of them the next is due."""
_lock = threading.Lock()
_settled = False


def settle() -> None:
    """What there is now is left alone from now on, the little garbage in it too. Does it the first time only."""
    global _settled  # noqa: PLW0603  (the collector is the process's)
    with _lock:
        if _settled:
            return
        _settled = True
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
