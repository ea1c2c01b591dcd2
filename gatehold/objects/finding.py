"""Where the flow files of recorded calls are: here, or, where that is asked for, read back from the bucket.

Every command that reads recorded calls goes through here, so that ``--fetch`` means the same to all of them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gatehold.objects.ledger import Ledger
from gatehold.temporary import private_directory
from policy.errors import GateholdError
from recordings.deletions import Deletions
from recordings.journal import JOURNAL, WRITER
from recordings.listing import Row
from recordings.reading import flow_path, record

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.objects.fetching import Fetching

_LONGEST: Final = timedelta(days=2)
"""From the begin of the day of a flow file: no call in it was made later, since a new day begins new files."""


class NoBucket(GateholdError):
    """The configuration names none."""


class NotFetched(GateholdError):
    """Files are only in the bucket, and nobody asked to read them there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFiles:
    """The flow files of a data directory, with those that were fetched."""

    directories: tuple[Path, ...]
    """The data directory, and others that hold flow files as it does."""
    left: str = ""
    """Which were not read, in words."""

    def record(self, row: Row) -> bytes:
        """The record of a line. Raises RecordUnreadable, also where it was altered."""
        there = (each for each in self.directories[1:] if (each / row.file).exists())
        return record(next(there, self.directories[0]), row)


@contextmanager
def flow_files(configuration: "Configuration", rows: Iterable[Row], *, fetch: bool) -> Iterator[FlowFiles]:
    """Those in which the records of some lines are; what is fetched is removed at the end.

    Raises NotFetched where one is only in the bucket, and what ``Fetching.save`` does; RecordUnreadable, OSError.
    """
    data_dir = configuration.data_dir
    names = dict.fromkeys(row.file for row in rows if row.file and row.length)
    gone = [name for name in names if not flow_path(data_dir, name).exists()]
    if gone and fetch:
        bucket = bucket_of(configuration)
        with private_directory() as directory:
            for name in gone:
                _fetch(bucket, name, directory)
            yield FlowFiles(directories=(data_dir, directory))
        return
    if gone and (count := len(_only_there(configuration) & set(gone))):
        raise NotFetched(f"{_only(count)}: add --fetch, or see 'gatehold recordings fetch'")
    yield FlowFiles(directories=(data_dir,))


@contextmanager
def all_flow_files(configuration: "Configuration", *, since: float | None, fetch: bool) -> Iterator[FlowFiles]:
    """All with calls since then (Unix seconds); what is fetched is removed at the end.

    What the bucket does not have is left. Raises what ``Fetching.save`` does; RecordUnreadable, OSError.
    """
    data_dir = configuration.data_dir
    gone = sorted(name for name in _only_there(configuration) if since is None or _may_reach(name, since))
    if not gone or not fetch:
        left = f"{_only(len(gone))}, not read (--fetch)" if gone else ""
        yield FlowFiles(directories=(data_dir,), left=left)
        return
    bucket = bucket_of(configuration)
    with private_directory() as directory:
        lost = sum(not _fetch(bucket, name, directory, must=False) for name in gone)
        left = f"{_files(lost)} neither here nor in the bucket" if lost else ""
        yield FlowFiles(directories=(data_dir, directory), left=left)


def bucket_of(configuration: "Configuration") -> "Fetching":
    """The bucket of a configuration. Raises NoBucket, OSError."""
    from gatehold.objects.fetching import Fetching  # noqa: PLC0415 - brings a client of object stores

    spec = configuration.gateway.spec.recordings
    if spec.url == "file":
        raise NoBucket("the configuration names no bucket under `recordings`")
    return Fetching(spec, configuration.data_dir)


def _fetch(bucket: "Fetching", name: str, directory: Path, *, must: bool = True) -> bool:
    """Have a file; False where it is not there, unless it has to be."""
    from gatehold.objects.place import ObjectMissing  # noqa: PLC0415 - brings a client of object stores

    path = flow_path(directory, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        bucket.save(name, path)
    except ObjectMissing:
        if must:
            raise
        return False
    return True


def _only_there(configuration: "Configuration") -> set[str]:
    """What the journal says was removed here once it had arrived."""
    data_dir = configuration.data_dir
    arrived = Ledger(data_dir, configuration.gateway.spec.recordings.url)
    said = Deletions.read(data_dir / JOURNAL / WRITER).flows
    return {
        name
        for name, each in said.items()
        if (each.uploaded or name in arrived) and not flow_path(data_dir, name).exists()
    }


def _may_reach(name: str, since: float) -> bool:
    """May a file hold a call that was made since then?"""
    try:
        began = datetime.strptime(name.split("/")[1], "%Y-%m-%d").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return True
    return (began + _LONGEST).timestamp() > since


def _only(count: int) -> str:
    return f"{_files(count)} only in the bucket"


def _files(count: int) -> str:
    return f"{count} flow {'file is' if count == 1 else 'files are'}"
