"""``gatehold doctor``: what would run here, what is amiss, and what to do about it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.checkup import Item, failed, looked_at, ok
from gatehold.cli.output import FAILED, counted, print_items

if TYPE_CHECKING:
    from gatehold.config import Configuration

app = typer.Typer(rich_markup_mode=None, add_completion=False)

type _Checks = list[tuple[str, Callable[[], Iterable[Item]]]]


@app.command()
def doctor(
    *,
    config: Annotated[Path, typer.Option("--config", help="Directory of configuration documents.")],
    connect: Annotated[bool, typer.Option("--connect", help="Connect to every target as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything that the gateway needs; exit 0 unless something FAILED. Credentials are used, never shown."""
    with _silence():
        items = list(_items(config, connect=connect))
    if as_json:
        print_items(map(asdict, items))
    else:
        width = max(len(item.check) for item in items)
        for item in items:
            typer.echo(item.line(width))
    if any(item.status == "failed" for item in items):
        raise typer.Exit(FAILED)


def _items(directory: Path, *, connect: bool) -> Iterator[Item]:
    from gatehold.cli import checkup_machine as machine
    from gatehold.config import load
    from policy.errors import ConfigurationError

    general: _Checks = [
        ("python", machine.python),
        ("libraries", machine.libraries),
        ("screen", machine.screen),
        ("content codings", machine.codings),
    ]
    yield from looked_at(general)
    try:
        configuration = load(directory)
    except ConfigurationError as error:
        for problem in error.problems:
            yield failed("configuration", str(problem))
        return
    counts = f"{counted(len(configuration.targets), 'target')}, {counted(len(configuration.engine.rules), 'rule')}"
    yield ok("configuration", f"{configuration.gateway.name}: {counts}; revision {configuration.revision[:12]}")
    yield from looked_at(_checks(configuration, connect=connect))


def _checks(configuration: "Configuration", *, connect: bool) -> _Checks:
    from gatehold.cli import checkup_audit, checkup_channels, checkup_objects
    from gatehold.cli import checkup_machine as machine
    from gatehold.cli import checkup_services as services
    from gatehold.cli.checkup_reload import last_attempt

    data_dir, now = configuration.data_dir, datetime.now(UTC)
    checks: _Checks = [
        ("data directory", lambda: machine.data_directory(data_dir)),
        ("disk space", lambda: machine.disk_space(data_dir)),
        ("clock", lambda: machine.clock(data_dir, now)),
        ("ca", lambda: machine.authority(data_dir, now)),
        ("store", lambda: services.store(configuration)),
        ("reload", lambda: last_attempt(configuration)),
        ("ports", lambda: services.ports(configuration)),
        ("masking", lambda: services.masking(configuration)),
        ("issuers", lambda: services.issuers(configuration)),
        ("saml", lambda: services.saml(configuration)),
        ("files", lambda: services.files(configuration)),
        ("credentials", lambda: services.credentials(configuration)),
        ("channels", lambda: checkup_channels.channels(configuration)),
        ("sinks", lambda: checkup_audit.sinks(configuration)),
        ("anchors", lambda: checkup_audit.anchors(configuration)),
        ("object store", lambda: checkup_objects.object_store(configuration)),
    ]
    return [*checks, ("targets", lambda: services.targets(configuration))] if connect else checks


@contextmanager
def _silence() -> Iterator[None]:
    """What the parts would log is told as an item."""
    logger = logging.getLogger("gatehold")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
