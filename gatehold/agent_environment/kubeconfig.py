"""A kubeconfig for agents: the gateway's CA, and the agent's token as the user's.

The token stands as ``${GATEHOLD_TOKEN}``, or is read by the client from a file that may rotate. Towards the API server
it is taken out, and the target's own credential is put in.
"""

import base64
from typing import Any

import yaml

from gatehold.agent_environment.places import Place
from gatehold.agent_environment.variables import TOKEN, USER

UNUSED = "unused"
"""Without any credential kubectl asks for a user name."""


def through_reverse(target: str, place: Place, *, authority: bytes, token_file: str | None = None) -> str:
    """YAML for a cluster whose reverse listener is at ``place``; ``authority`` is the gateway's CA, PEM."""
    return _kubeconfig(target, {"server": f"https://{place.authority}"}, _user(token_file), authority)


def through_proxy(target: str, host: str, proxy: Place, *, authority: bytes, token_file: str | None = None) -> str:
    """YAML for a cluster under its registered ``host`` (``host:port``), by a forward proxy."""
    shown = f"{USER}:${{{TOKEN}}}@" if proxy.takes_token and token_file is None else ""
    cluster = {"server": f"https://{host}", "proxy-url": f"{proxy.scheme}://{shown}{proxy.authority}"}
    user = _user(token_file) if proxy.takes_token else {"token": UNUSED}
    return _kubeconfig(target, cluster, user, authority)


def _user(token_file: str | None) -> dict[str, str]:
    return {"tokenFile": token_file} if token_file else {"token": f"${{{TOKEN}}}"}


def _kubeconfig(target: str, cluster: dict[str, str], user: dict[str, str], authority: bytes) -> str:
    encoded = base64.b64encode(authority).decode("ascii")
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": target, "cluster": cluster | {"certificate-authority-data": encoded}}],
        "users": [{"name": USER, "user": user}],
        "contexts": [{"name": target, "context": {"cluster": target, "user": USER}}],
        "current-context": target,
    }
    return yaml.safe_dump(document, sort_keys=False, width=10_000)
