"""mitmproxy's options: the few that may differ from their default, the ones that are forced, and nothing else.

Many stock options open the gateway (``ignore_hosts``, ``ssl_insecure``, ``map_remote``, ``modify_headers`` ...). The
list below is an allow-list, so that an option which a later mitmproxy adds is refused until somebody looked at it.
"""

from collections.abc import Mapping
from typing import Any

from mitmproxy import options

CHOSEN_BY_OPERATORS = frozenset(
    {"termlog_verbosity", "flow_detail", "gatehold_config", "scripts", "http2", "http2_ping_keepalive",
    "ciphers_client",
     "ciphers_server", "tls_version_client_min", "tls_version_client_max", "tls_version_server_min",
     "tls_version_server_max", "tls_ecdh_curve_client", "tls_ecdh_curve_server", "connect_addr", "server"}
)  # fmt: skip
"""May differ from mitmproxy's default. ``flow_detail`` has no effect: the addon that prints flows is not loaded."""

_DAY = 24 * 3600


def forced(body_limit: int) -> Mapping[str, Any]:
    """What a gateway sets, whatever was asked for; ``body_limit`` in bytes bounds bodies that are kept in memory."""
    return {
        "body_size_limit": str(body_limit),
        "connection_strategy": "lazy",  # eager dials any CONNECT host before a rule was asked
        "http3": False,
        "keep_host_header": True,  # otherwise a reverse listener overwrites the Host that has to be judged
        "onboarding": False,
        "rawtcp": False,
        "store_streamed_bodies": False,
        "tcp_timeout": _DAY,  # silent watches are alive
        "upstream_cert": False,
        "validate_inbound_headers": True,
    }


def problems(chosen: options.Options, body_limit: int) -> list[str]:
    """Every option that was set to what a gateway cannot have."""
    must = forced(body_limit)
    found = ["scripts: no other addon may be loaded beside the gateway"] if len(chosen.scripts) > 1 else []
    for name in chosen.keys():  # noqa: SIM118 - an OptManager is not iterable
        value = getattr(chosen, name)
        if name in CHOSEN_BY_OPERATORS or value == chosen.default(name) or value == must.get(name, _NOTHING):
            continue
        found.append(f"the mitmproxy option {name} cannot be set here")
    return found


_NOTHING = object()
