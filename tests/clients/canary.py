"""A server that nobody may come to: what a client that is led away, or goes past the gateway, would reach."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Canary:
    """A server that nobody may come to, on an address of this machine that no client takes for its own."""

    visits: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.2", 0)))

    @property
    def authority(self) -> str:
        """Where it listens."""
        return f"127.0.0.2:{self._listener.getsockname()[1]}"

    def listen(self) -> None:
        """Count who connects, and hang up; ends with ``close``."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.visits += 1
                connection.close()

    def close(self) -> None:
        """Wake and end ``listen``."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def listening() -> Iterator[Canary]:
    """One that counts, until the block ends."""
    canary = Canary()
    thread = threading.Thread(target=canary.listen, daemon=True)
    thread.start()
    try:
        yield canary
    finally:
        canary.close()
        thread.join()
