"""What the garbage collector looks at: not what stays for as long as the process.

A full collection of everything that was imported and compiled holds up every call for more than a tenth of a second.
"""

import gc
import threading

_lock = threading.Lock()
_settled = False


def settle() -> None:
    """What there is now is collected once, and then left alone. Does it the first time only."""
    global _settled  # noqa: PLW0603  (the collector is the process's)
    with _lock:
        if _settled:
            return
        _settled = True
    gc.collect()
    gc.freeze()
