"""``gatehold token``: keys and tokens of the embedded issuer, for agents without an identity provider."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Make keys and agent tokens where there is no identity provider.", no_args_is_help=True, add_completion=False
)

_KEYS = Path("keys")


@app.command()
def keygen(
    *,
    out: Annotated[Path, typer.Option(help="Directory for jwks.json (public) and private.pem.")] = _KEYS,
    force: Annotated[bool, typer.Option("--force", help="Replace keys that are there; their tokens end.")] = False,
) -> None:
    """Make an Ed25519 key pair: jwks.json for the configuration, private.pem for `token issue`."""
    from gatehold.identity.keys import keygen as make

    try:
        public_file, private_file = make(out, force=force)
    except OSError as error:
        raise _failure(error) from None
    typer.echo(public_file)
    typer.echo(private_file)


@app.command()
def issue(
    *,
    subject: Annotated[str, typer.Option(help="Who the agent is.")],
    key: Annotated[Path, typer.Option(help="private.pem, as keygen made it.")] = _KEYS / "private.pem",
    issuer: Annotated[str, typer.Option(help="As in identity.issuers[].issuer.")] = "gatehold",
    audience: Annotated[str, typer.Option(help="As in identity.issuers[].audience.")] = "gatehold",
    group: Annotated[list[str] | None, typer.Option(help="Group of the agent; may be given again.")] = None,
    ttl: Annotated[str, typer.Option(help="How long it is good: 30m, 1h, 7d.")] = "1h",
    claim: Annotated[list[str] | None, typer.Option(help="Further claim NAME=TEXT; may be given again.")] = None,
) -> None:
    """Print a signed agent token, and nothing else."""
    from gatehold.identity.tokens import issue as make
    from policy.rules.quantities import parse_duration

    try:
        token = make(
            key,
            issuer=issuer,
            audience=audience,
            subject=subject,
            groups=group or (),
            ttl=parse_duration(ttl),
            claims=_claims(claim or []),
        )
    except (OSError, ValueError) as error:
        raise _failure(error) from None
    typer.echo(token)


def _claims(pairs: list[str]) -> dict[str, str]:
    claims: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ValueError(f"--claim {name}: write it as NAME=TEXT")
        if name in claims:
            raise ValueError(f"--claim {name} is given twice")
        claims[name] = value
    return claims


def _failure(error: OSError | ValueError) -> typer.Exit:
    """Say what is wrong on standard error; the exit code for wrong usage."""
    typer.echo(f"gatehold token: {error}", err=True)
    return typer.Exit(2)
