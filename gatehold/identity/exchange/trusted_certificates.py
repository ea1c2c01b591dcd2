"""The certificates of a provider, as their file holds them now.

It is looked at with each assertion, and read again when it was changed, so that a certificate that was taken out counts
no more from then on. While it cannot be read, no assertion of the provider is accepted.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from gatehold.identity.exchange.signature import certificates
from policy.codes import Code
from policy.errors import Refusal


@dataclass(frozen=True, slots=True)
class _Read:
    state: tuple[int, int, int]
    """What tells one content of the file from another without reading it."""
    found: Sequence[x509.Certificate] = field(repr=False)


class TrustedCertificates:
    """Those of one file. Safe to use from any thread."""

    def __init__(self, file: Path) -> None:
        """Raises ``ValueError`` where the file cannot be used."""
        self._file = file
        self._lock = threading.Lock()
        self._read = self._reading()

    def __repr__(self) -> str:
        return f"<TrustedCertificates: {len(self._read.found)} of {self._file}>"

    def now(self) -> Sequence[x509.Certificate]:
        """The certificates. Raises Refusal (``gateway-error``) while the file cannot be used."""
        with self._lock:
            try:
                if self._state() != self._read.state:
                    self._read = self._reading()
            except (OSError, ValueError):
                told = "It cannot be told now whose assertions count."
                raise Refusal(Code.GATEWAY_ERROR, told, retry_after=1) from None
            return self._read.found

    def _reading(self) -> _Read:
        try:
            state = self._state()
            return _Read(state, certificates(self._file.read_bytes()))
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            raise ValueError(f"{self._file}: {told}") from None

    def _state(self) -> tuple[int, int, int]:
        stat = self._file.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
