"""Whose pseudonyms a text gets: one owner's tokens mean nothing to another owner.

By default pseudonyms belong to an agent's session: the same value has the same token within the session and another one
outside of it. A vault, where there is one, keeps what was replaced for those who may put it back.
"""

from dataclasses import dataclass, field
from typing import Protocol


class Vault(Protocol):
    """Keeps what a reversible pseudonym stands for. Safe to use from several threads."""

    def keep(self, token: str, entity: str, value: str) -> None:
        """Remember that ``token`` stands for ``value``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """The pseudonyms of one owner."""

    owner: str
    """Tells owners apart: equal owners have equal keys and vaults."""
    key: bytes = field(repr=False, compare=False)
    vault: Vault | None = field(default=None, repr=False, compare=False)
