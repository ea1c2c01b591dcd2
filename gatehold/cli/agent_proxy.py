"""``gatehold agent-proxy``: a forwarder beside an agent that shows the agent's token for its clients."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gatehold.cli.output import unusable

app = typer.Typer(rich_markup_mode=None)


class Scheme(StrEnum):
    """How the token is shown."""

    BEARER = "bearer"
    BASIC = "basic"


@app.command()
def agent_proxy(
    *,
    token_file: Annotated[Path, typer.Option(help="The agent's token; read again for every connection.")],
    gateway: Annotated[str, typer.Option(help="The gateway's forward proxy: http://host:port or https://host:port.")],
    listen: Annotated[str, typer.Option(help="Where clients reach this proxy.")] = "127.0.0.1:8079",
    ca: Annotated[Path | None, typer.Option(help="The gateway's CA (PEM), for https; default: the system's.")] = None,
    auth: Annotated[Scheme, typer.Option("--auth", help="How the token is shown.")] = Scheme.BEARER,
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Let other machines be the agent: no loopback address is needed.")
    ] = False,
) -> None:
    """Forward clients to the gateway with the agent's token, until SIGINT or SIGTERM."""
    import asyncio
    import logging

    from gatehold.agent_proxy.gateway import gateway_at
    from gatehold.agent_proxy.running import listen_address, run
    from gatehold.agent_proxy.serving import AgentProxy
    from gatehold.agent_proxy.tokens import TokenFile

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        host, port = listen_address(listen, anywhere=insecure_listen)
        proxy = AgentProxy(gateway_at(gateway, ca), TokenFile(path=token_file, scheme=auth.value))
        asyncio.run(run(proxy, host, port, ready=lambda told: typer.echo(f"gatehold agent-proxy: ready at {told}")))
    except ValueError as error:
        unusable(str(error))
    except OSError as error:
        unusable(f"{error.filename or listen}: {error.strerror}")
