"""Which source a configuration names: one row for each."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gatehold.config.credential_sources import FromSpec
from gatehold.credentials.commands import ExecSource
from gatehold.credentials.exchanging import ExchangeSource
from gatehold.credentials.fields import FieldSource
from gatehold.credentials.github_app import GitHubAppSource
from gatehold.credentials.oauth import OAuthSource
from gatehold.credentials.vault import VaultSource
from gatehold.credentials.vault_login import VaultLogins


class FieldSources:
    """Makes sources, and keeps what several of them share."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives Unix seconds."""
        self.clock = clock
        self.vaults = VaultLogins(clock)

    def of(self, spec: FromSpec) -> FieldSource:
        """The source that ``spec`` names."""
        for name, make in MAKERS.items():
            if (part := getattr(spec, name)) is not None:
                return make(part, self)
        raise TypeError("a source without a row in the table")


MAKERS: Mapping[str, Callable[[Any, FieldSources], FieldSource]] = {
    "vault": lambda spec, having: VaultSource(spec, having.vaults.of(spec), having.clock),
    "exec": lambda spec, having: ExecSource(spec, having.clock),
    "oauth": lambda spec, having: OAuthSource(spec, having.clock),
    "exchange": lambda spec, having: ExchangeSource(spec, having.clock),
    "github_app": lambda spec, having: GitHubAppSource(spec, having.clock),
}
"""Field of ``FromSpec`` to how its part of a configuration becomes a source."""
