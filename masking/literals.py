"""Exact values that must never be seen: the credentials that the gateway itself put into a request.

An upstream that echoes its request, or logs it, would hand the target's credential to the agent. The caller gives every
form in which a value may come back (raw, base64, URL-encoded, JSON-escaped); each occurrence becomes ``***``.
"""

from collections.abc import Iterable

REPLACEMENT = b"***"
SHORTEST = 8
"""Shorter values would hit ordinary text; credentials are longer."""


class Literals:
    """A set of exact byte strings to be taken out."""

    def __init__(self, values: Iterable[bytes]) -> None:
        # Longest first: a form that contains another one is replaced as a whole.
        self._values = tuple(sorted({value for value in values if len(value) >= SHORTEST}, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"<Literals: {len(self._values)} values>"

    def __bool__(self) -> bool:
        return bool(self._values)

    def replace(self, data: bytes) -> bytes:
        """``data`` with every value replaced; the same object where there is none."""
        for value in self._values:
            if value in data:
                data = data.replace(value, REPLACEMENT)
        return data

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of a value."""
        longest = 0
        for value in self._values:
            for length in range(min(len(value) - 1, len(data)), longest, -1):
                if data.endswith(value[:length]):
                    longest = length
                    break
        return longest


class LiteralStream:
    """Takes values out of a stream, wherever it is cut. Holds back only what may be the beginning of a value."""

    def __init__(self, literals: Literals) -> None:
        self._literals = literals
        self._tail = b""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may go on."""
        if not self._literals:
            return chunk
        data = self._literals.replace(self._tail + chunk)
        held = self._literals.held_back(data)
        self._tail = data[len(data) - held :]
        return data[: len(data) - held]

    def end(self) -> bytes:
        """What was held back, now that nothing follows."""
        rest, self._tail = self._tail, b""
        return rest
