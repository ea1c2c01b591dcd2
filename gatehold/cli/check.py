"""``gatehold check``: everything that is wrong with a configuration, in one go."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.output import UNUSABLE, counted, print_items, print_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatehold.config import Configuration
    from policy.model import Problem

app = typer.Typer(rich_markup_mode=None)


@app.command()
def check(
    *,
    config: Annotated[Path, typer.Option("--config", help="Directory of configuration documents.")],
    resolve: Annotated[bool, typer.Option("--resolve", help="Look also for credentials and files it names.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Tell also of what should not be run where others can reach it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every problem as `file:line: message`; exit 0 where there is none, else 2."""
    from gatehold.config import load
    from gatehold.config.resolving import missing
    from gatehold.config.strictness import lenient
    from policy.errors import ConfigurationError
    from policy.model import Problem

    configuration, problems = None, tuple[Problem, ...]()
    try:
        configuration = load(config)
        if resolve:
            problems += (*missing(configuration), *_unusable_certificates(configuration))
        if strict:
            problems += lenient(configuration)
    except ConfigurationError as error:
        problems = error.problems
    if as_json:
        print_items({"file": each.file, "line": each.line, "message": each.message} for each in problems)
    else:
        print_problems(problems, err=False)
    if problems or configuration is None:
        raise typer.Exit(UNUSABLE)
    if not as_json:
        typer.echo(_summary(configuration))


def _unusable_certificates(configuration: "Configuration") -> "Iterator[Problem]":
    """Of SAML providers: files that can be read, but verify nothing."""
    gateway = configuration.gateway
    if not gateway.spec.identity.saml:
        return
    from gatehold.identity.exchange.signature import certificates
    from policy.model import Problem

    for provider in gateway.spec.identity.saml:
        try:
            certificates(provider.certificate.read_bytes())
        except ValueError as error:
            told = f"SAML provider {provider.name}: {provider.certificate}: {error}"
            yield Problem(file=gateway.file, line=gateway.line, message=told)
        except OSError:
            continue  # that it cannot be read is told already


def _summary(configuration: "Configuration") -> str:
    counts = {
        "target": len(configuration.targets),
        "rule": len(configuration.engine.rules),
        "mask profile": len(configuration.profiles),
        "test": sum(len(document.cases) for document in configuration.tests),
    }
    told = ", ".join(counted(count, what) for what, count in counts.items())
    return f"{configuration.gateway.name}: ok; {told}; revision {configuration.revision[:12]}"
