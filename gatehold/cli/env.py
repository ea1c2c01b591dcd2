"""``gatehold env``: what an agent's container needs so that its clients go through the gateway."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gatehold.cli.output import unusable

app = typer.Typer(rich_markup_mode=None)

_MOUNT = "/etc/gatehold"


class Format(StrEnum):
    """Who reads it."""

    SHELL = "shell"
    DOTENV = "dotenv"
    K8S = "k8s"
    COMPOSE = "compose"


@app.command()
def env(
    *,
    config: Annotated[Path, typer.Option(help="Directory of the configuration.")],
    target: Annotated[str | None, typer.Option(help="Which cluster a kubeconfig is for, if there are several.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Who reads it.")] = Format.SHELL,
    kubeconfig: Annotated[bool, typer.Option("--kubeconfig", help="Print a kubeconfig instead.")] = False,
    token_file: Annotated[str | None, typer.Option(help="Where clients of a kubeconfig read the token.")] = None,
    proxy_host: Annotated[str | None, typer.Option(help="What agents call the gateway's host.")] = None,
    agent_proxy: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the agent-proxy that runs beside the agent.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where CA files are written; default: dataDir/agents.")] = None,
    mount: Annotated[str, typer.Option(help="Where containers see these files.")] = _MOUNT,
    name: Annotated[str, typer.Option(help="Of the Compose service, or of the Secret and the ConfigMap.")] = "agent",
    system_ca: Annotated[Path | None, typer.Option(help="CA bundle to extend; default: the system's.")] = None,
) -> None:
    """Print an environment in which ${GATEHOLD_TOKEN} stands for the agent's token; write the CA files it names."""
    from gatehold.agent_environment.places import Unreachable
    from gatehold.agent_environment.printing import Wanted, cluster_access, environment
    from gatehold.agent_environment.trust import Untrusted
    from gatehold.agent_environment.variables import Unwritable
    from gatehold.config import load

    configuration = load(config)
    wanted = Wanted(
        form=form.value, host=proxy_host, forwarder=agent_proxy, out=out, mount=mount, name=name, system=system_ca
    )
    try:
        if target is not None and target not in configuration.targets:
            raise Unreachable(f"there is no target {target!r}")
        if kubeconfig:
            text = cluster_access(configuration, wanted, target=target, token_file=token_file)
        else:
            text = environment(configuration, wanted)
    except (Unreachable, Untrusted, Unwritable) as error:
        unusable(str(error))
    except OSError as error:
        unusable(f"{error.filename}: {error.strerror}")
    typer.echo(text, nl=False)
