"""The bytes of one call in a flow file, as the journal names them."""

from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

from recordings.errors import RecordUnreadable
from recordings.flowfiles import RECORDINGS
from recordings.listing import Row
from recordings.regular import NotRegularError, open_regular

UNBOUND: Final = 1 << 62


def flow_path(data_dir: Path, name: str) -> Path:
    """Where a flow file that the journal names stands. Raises RecordUnreadable where it is not below the recordings."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] != RECORDINGS.parts:
        raise RecordUnreadable("the journal names a file that is no recording")
    return data_dir / path


def record(data_dir: Path, row: Row, *, most: int = UNBOUND) -> bytes:
    """The record of a line that has one, at most so many bytes. Raises RecordUnreadable, also where it was altered."""
    if row.length > most:
        raise RecordUnreadable(f"the record has {row.length} bytes, which is more than is read here")
    path = flow_path(data_dir, row.file)
    try:
        found = _read(path, row.offset, row.length)
    except FileNotFoundError:
        raise RecordUnreadable(
            f"{path} is missing: see 'gatehold audit verify', or 'gatehold recordings fetch' for a bucket"
        ) from None
    except NotRegularError as error:
        raise RecordUnreadable(f"{path} cannot be read: {error}") from None
    except OSError as error:
        raise RecordUnreadable(f"{path} cannot be read: {error.strerror}") from None
    if len(found) < row.length or sha256(found).hexdigest() != row.sha256:
        raise RecordUnreadable(f"{path} is not as the journal says: see 'gatehold audit verify'")
    return found


def _read(path: Path, offset: int, length: int) -> bytes:
    with open_regular(path) as file:
        file.seek(offset)
        return file.read(length)
