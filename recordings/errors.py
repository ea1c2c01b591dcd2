"""What can go wrong while calls are being recorded.

::

    GateholdError
    ├── Refusal
    │   └── RecorderUnavailable     this call cannot be recorded now: refused as ``recorder-unavailable``
    ├── RecorderBusyError           another gateway writes to the same directory
    ├── RecordUnreadable            the bytes of a call are not where the journal says, or not as it says
    └── JournalDamagedError         what is on disk cannot be continued; a person has to look at it

``FileChangedError`` is an ``OSError`` of ours: it takes the same way through the recorder as a full disk.
"""

from policy.codes import Code
from policy.errors import GateholdError, Refusal


class RecorderUnavailable(Refusal):
    """The call cannot be recorded, and may therefore not happen."""

    def __init__(self, reason: str) -> None:
        super().__init__(Code.RECORDER_UNAVAILABLE, reason=reason, retry_after=1)


class RecorderBusyError(GateholdError):
    """Another gateway holds the directory."""


class JournalDamagedError(GateholdError):
    """The journal's last file cannot be read, so no line can be chained to it."""


class RecordUnreadable(GateholdError):
    """The bytes of a call are gone, cut, altered or too many; the text says which, for people."""


class FileChangedError(OSError):
    """A file that only the recorder may touch was removed, replaced, cut or written to by somebody else."""
