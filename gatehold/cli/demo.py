"""``gatehold demo``: a gateway with two upstreams to try, or to be shown by itself."""

import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gatehold.cli.output import FAILED, FINE, unusable

if TYPE_CHECKING:
    from gatehold.demo.processes import GatewayProcess
    from gatehold.demo.session import Step
    from gatehold.demo.site import Site

app = typer.Typer(rich_markup_mode=None, add_completion=False)

INTERRUPTED = 130
DIRECTORY = Path("demo-data")


@app.command()
def demo(
    *,
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where it keeps its files; left out: ./demo-data.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Play a session instead; exit 0 if all of it is as it should be.")
    ] = False,
) -> None:
    """Serve two upstreams and a gateway before them until Ctrl-C, and tell what to type to try it."""
    if check and not shutil.which("curl"):
        unusable("demo --check needs curl, which is not installed")
    code = INTERRUPTED
    try:
        with _signals(), ExitStack() as stack:
            if check and directory is None:
                directory = Path(stack.enter_context(TemporaryDirectory(prefix="gatehold-demo-")))
            code = _check(directory or DIRECTORY) if check else _serve(directory or DIRECTORY)
    except KeyboardInterrupt:
        typer.echo("gatehold: the demo has ended", err=True)
        code = INTERRUPTED if check else FINE
    raise typer.Exit(code)


def _serve(directory: Path) -> int:
    from gatehold.demo.guide import guide
    from gatehold.demo.site import PREFERRED

    typer.echo("gatehold: the demo starts ...", err=True)
    with _running(directory, PREFERRED) as (site, gateway):
        typer.echo(guide(site))
        code = gateway.follow()
    typer.echo(f"gatehold: the gateway has ended by itself, with {code}", err=True)
    return FAILED


def _check(directory: Path) -> int:
    from gatehold.demo.session import play

    typer.echo("gatehold: the demo starts ...", err=True)
    with _running(directory, {}) as (site, gateway):
        steps = [_shown(step) for step in play(site)]
        wrong = [step for step in steps if step.wrong]
        if wrong:
            typer.echo(f"{len(wrong)} of {len(steps)} steps went wrong; the gateway said:\n{gateway.output}")
            return FAILED
    skipped = sum(step.skipped for step in steps)
    typer.echo(f"{len(steps) - skipped} steps, all as they should be" + (f"; {skipped} skipped" if skipped else ""))
    return FINE


@contextmanager
def _running(directory: Path, preferred: Mapping[str, int]) -> "Iterator[tuple[Site, GatewayProcess]]":
    """A site and a gateway that serves; what cannot be started ends the command."""
    from gatehold.demo.processes import NotStarted
    from gatehold.demo.processes import gateway as gateway_of
    from gatehold.demo.site import SiteInUse
    from gatehold.demo.site import site as site_in

    with ExitStack() as stack:
        try:
            site = stack.enter_context(site_in(directory, preferred=preferred))
            gateway = stack.enter_context(gateway_of(site))
        except (OSError, SiteInUse) as error:
            unusable(str(error))
        except NotStarted as error:
            typer.echo(f"gatehold: the gateway did not start:\n{error}", err=True)
            raise typer.Exit(FAILED) from None
        yield site, gateway


def _shown(step: "Step") -> "Step":
    """Print a step: the verdict first, then what was seen, then what is wrong with it."""
    verdict = "WRONG" if step.wrong else "skip" if step.skipped else "ok"
    typer.echo(f"{verdict:<6} {step.name}" + (f"\n         $ {step.command}" if step.command else ""))
    for line in step.saw:
        typer.echo(f"         {line}")
    for line in step.wrong:
        typer.echo(f"  WRONG  {line}")
    return step


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does; once it is ending, nothing hurries it."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
