"""The keys of pseudonyms: one per installation, in ``keys/pseudonym.key``, and from it one per session."""

import hmac
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from gatehold.keyfile import key_file
from gatehold.vault import SessionVault, SessionVaults
from masking.pseudonyms import Pseudonyms
from policy.model import Agent, SessionId


def pseudonym_key(data_dir: Path) -> bytes:
    """32 bytes, made on first use. Raises KeyFileError where the file cannot be used."""
    return key_file(data_dir / "keys" / "pseudonym.key")


_SESSIONS = 1024
"""Sessions whose keys are remembered."""


class SessionPseudonyms:
    """Gives every session pseudonyms of its own, with a vault where some of them can be put back."""

    def __init__(self, key: bytes, vaults: SessionVaults | None = None, clock: Callable[[], float] = time.time) -> None:
        """``key``: of the installation; ``vaults``: None where no profile is reversible."""
        self._key = key
        self._vaults = vaults
        self._clock = clock
        self._keys = lru_cache(_SESSIONS)(self._key_of)

    def keep_values(self) -> None:
        """Keep from now on what tokens stand for: a profile is reversible."""
        if self._vaults is None:
            self._vaults = SessionVaults()

    @property
    def keeps_values(self) -> bool:
        """Whether any profile is reversible, or was."""
        return self._vaults is not None

    def of(self, session: SessionId, agent: Agent | None = None) -> Pseudonyms:
        """The pseudonyms of one session. With ``agent``, who acts in it, its values are forgotten once it is over."""
        vault = self._vault(session, agent)
        return Pseudonyms(
            # Tokens that an engine remembers are made anew once the vault gave some up.
            owner=f"{session}#{vault.generation}" if vault else session,
            key=self._keys(session),
            vault=vault,
        )

    def _key_of(self, session: SessionId) -> bytes:
        return hmac.digest(self._key, f"session\0{session}".encode(), "sha256")

    def vault(self, agent: Agent) -> SessionVault | None:
        """What the tokens of an agent's session stand for; None where nothing is reversible, or there is no room."""
        return self._vault(agent.session, agent) if agent.session else None

    def _vault(self, session: SessionId, agent: Agent | None) -> SessionVault | None:
        return self._vaults.of(session, agent, now=self._clock()) if self._vaults else None

    def forget(self, is_revoked: Callable[[Agent], bool]) -> None:
        """Forget the sessions that ended or were revoked, and the tokens of those that were idle for long."""
        if self._vaults:
            now = self._clock()
            self._vaults.sweep(lambda agent: now > agent.expires_at or is_revoked(agent), now=now)
