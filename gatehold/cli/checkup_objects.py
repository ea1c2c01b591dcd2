"""What ``gatehold doctor`` says about the bucket: whether it answers, what arrived, what waits, what differs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatehold.cli.checkup import Item, failed, ok
from gatehold.cli.output import counted

if TYPE_CHECKING:
    from gatehold.config import Configuration

_CHECK = "object store"
_PATIENCE = 15.0
"""Seconds."""


def object_store(configuration: "Configuration") -> Iterator[Item]:
    """A line for the bucket, and one for each file that it has otherwise; nothing is copied."""
    if configuration.gateway.spec.recordings.url == "file":
        return
    from gatehold.objects.finished import Spool
    from gatehold.objects.ledger import Ledger
    from gatehold.objects.place import BucketUnavailable

    spec, data_dir = configuration.gateway.spec.recordings, configuration.data_dir
    ledger = Ledger(data_dir, spec.url)
    differing = [each for each in ledger.entries.values() if each.differs]
    waiting = Spool(data_dir, ledger).waiting()
    room = sum((data_dir / each.name).stat().st_size for each in waiting)
    spool = f"{counted(len(waiting), 'file')} ({room} bytes) to be copied"
    for each in differing:
        todo = "find out who put it there; see docs/recordings.md"
        yield failed(_CHECK, f"{each.name} is in the bucket with other bytes", todo)
    try:
        _ask(configuration)
    except (BucketUnavailable, TimeoutError) as error:
        words = str(error) or "does not answer"
        yield failed(_CHECK, f"{words}; {spool}", "recordings stay here until it answers")
        return
    yield ok(_CHECK, f"{spec.url}; {counted(len(ledger.entries) - len(differing), 'file')} copied, {spool}")


def _ask(configuration: "Configuration") -> None:
    import asyncio

    from gatehold.objects.aside import aside
    from gatehold.objects.place import ObjectPlace

    async def ask() -> None:
        async with asyncio.timeout(_PATIENCE):
            await aside(ObjectPlace(configuration.gateway.spec.recordings).answers)

    asyncio.run(ask())
