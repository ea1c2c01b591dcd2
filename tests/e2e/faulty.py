"""A gateway whose stages can be made to fail while it runs: the file named by GATEHOLD_FAULT says which hook raises.

usage: python tests/e2e/faulty.py run --config DIR
"""

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from addons.authenticate import Authenticate
from addons.certificates import Certificates
from addons.classify import Classify
from addons.decide import Decide
from addons.dlp import Dlp
from addons.guard import Guard
from addons.hold import Hold
from addons.inject import Inject
from addons.record import Record
from addons.redact import Redact
from addons.seal import Seal
from addons.sessions import Sessions
from addons.upgrades import Upgrades
from addons.web_sockets import WebSockets

STAGES = (
    *(Guard, Certificates, Authenticate, Classify, Dlp, Decide),
    *(Sessions, Upgrades, Hold, Inject, Seal, Redact, Record),
)
HOOKS = ("client_connected", "http_connect", "next_layer", "tls_clienthello", "tls_start_client", "tls_start_server",
         "requestheaders", "request", "responseheaders", "response")  # fmt: skip
TUNNEL_HOOKS = ("websocket_start", "websocket_message", "websocket_end")
"""Hooks of ``WebSockets``, which no ordinary call meets."""
PLANTED = "planted-secret-in-an-exception"


def faults() -> list[str]:
    """``Stage.hook`` of everything that can be made to fail."""
    return [f"{stage.__name__}.{hook}" for stage in STAGES for hook in HOOKS if hook in vars(stage)]


def breakable(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The hook, raising where the file names it."""

    def check() -> None:
        if Path(os.environ["GATEHOLD_FAULT"]).read_text() == name:
            raise RuntimeError(PLANTED)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def hook(*arguments: Any) -> Any:
            check()
            return await original(*arguments)

        return hook

    @functools.wraps(original)
    def plain(*arguments: Any) -> Any:
        check()
        return original(*arguments)

    return plain


def main() -> None:
    """Make every hook breakable, then run as always."""
    for stage in (*STAGES, WebSockets):
        for hook in (*HOOKS, *TUNNEL_HOOKS):
            if hook in vars(stage):
                setattr(stage, hook, breakable(f"{stage.__name__}.{hook}", vars(stage)[hook]))
    from gatehold.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
