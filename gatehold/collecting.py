"""What the garbage collector looks at: not what stays for as long as the process.

A full collection of everything that was imported and compiled holds up every call for more than a tenth of a second;
so none is made for a last time either.
"""

import gc
import threading

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
