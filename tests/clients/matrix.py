"""The matrix: every client that is tried, and what the page tells of it."""

from collections.abc import Iterator

from tests.clients.client import Astray, Client
from tests.clients.drivers import (
    aiohttp,
    curl,
    git,
    httpx,
    httpx2,
    java,
    kubectl,
    kubernetes,
    node,
    npm,
    pip,
    requests,
    urllib_request,
    uv,
    wget,
)

CLIENTS: tuple[Client, ...] = (
    curl.CLIENT,
    wget.CLIENT,
    requests.CLIENT,
    httpx.CLIENT,
    httpx2.CLIENT,
    aiohttp.CLIENT,
    urllib_request.CLIENT,
    git.CLIENT,
    pip.CLIENT,
    uv.CLIENT,
    npm.CLIENT,
    node.UNDICI,
    node.AXIOS,
    kubectl.CLIENT,
    kubernetes.CLIENT,
    java.HTTP_CLIENT,
    java.URL_CONNECTION,
)
ASTRAY: tuple[Astray, ...] = (aiohttp.ASTRAY, node.FETCH)
EXAMPLES = frozenset(client.example for client in CLIENTS)


def rows() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The table of clients that work: its head and its rows."""
    head = ("client", "beside the environment", "without a token it says", "of a refusal it says", "TLS with the proxy")
    return head, [
        (client.name, client.needs, client.unauthenticated_told, client.refusal_told, client.outer_told)
        for client in CLIENTS
    ]


def astray_rows() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The table of those that do not."""
    return ("client", "what it does", "why", "instead"), [
        (each.name, each.does, each.why, each.instead) for each in ASTRAY
    ]


def examples() -> str:
    """A section for each client, in Markdown."""
    return "\n".join("".join(_section(client)) for client in CLIENTS)


def _section(client: Client) -> Iterator[str]:
    yield f"### {client.name}\n\n"
    if client.note:
        yield f"{client.note}\n\n"
    yield f"```{client.language}\n{client.example}```\n"
