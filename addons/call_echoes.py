"""What one answer must not show besides what no answer may: the signature that was made for its call.

A signature is good for minutes, for whoever has it; the key that it was made by never leaves the gateway.
"""

from dataclasses import dataclass

from addons.calls import Call
from gatehold.credentials.echoes import spellings
from masking.literals import Literals, Replacing


@dataclass(frozen=True, slots=True)
class _Both:
    """Two sets of values."""

    known: Replacing
    own: Literals

    def __bool__(self) -> bool:
        return True

    def replace(self, data: bytes) -> bytes:
        """``data`` without them; the same object where there is none."""
        return self.own.replace(self.known.replace(data))

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of one."""
        return max(self.known.held_back(data), self.own.held_back(data))


def with_signature(known: Replacing, call: Call) -> Replacing:
    """What is known, and this call's signature, if it has one."""
    if not call.signed:
        return known
    if call.signed_echoes is None:
        call.signed_echoes = Literals(spellings(value.reveal() for value in call.signed))
    return _Both(known, call.signed_echoes)
