"""The streams that are open: watches, followed logs, WebSockets. Whoever finds that one may not go on cuts it here."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from mitmproxy import http

from addons.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenStream:
    """One stream."""

    call: Call
    cut: Callable[[str], None]
    """End it; the words say why, and the agent may read them."""
    keep_up: Callable[[http.HTTPFlow], None]
    """Record what was passed on a while ago, though nothing came since. Raises RecorderUnavailable."""


class OpenStreams:
    """All of them, by flow; a flow that is gone takes its stream along."""

    def __init__(self) -> None:
        self._streams: WeakKeyDictionary[http.HTTPFlow, OpenStream] = WeakKeyDictionary()
        self._working: dict[str, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def add(
        self, call: Call, flow: http.HTTPFlow, cut: Callable[[str], None], keep_up: Callable[[http.HTTPFlow], None]
    ) -> None:
        """Note a stream that begins. Neither ``cut`` nor ``keep_up`` may hold the flow."""
        self._streams[flow] = OpenStream(call=call, cut=cut, keep_up=keep_up)

    def __contains__(self, flow: http.HTTPFlow) -> bool:
        return flow in self._streams

    def remove(self, flow: http.HTTPFlow) -> None:
        """Forget a stream that ended; nothing where it is not known."""
        self._streams.pop(flow, None)

    @contextmanager
    def working(self, client_id: str) -> Iterator[None]:
        """A chunk for this client is being worked off: no more is to be read for it until that is done."""
        done = asyncio.Event()
        ours = self._working.setdefault(client_id, set())
        ours.add(done)
        try:
            yield
        finally:
            done.set()
            ours.discard(done)
            if not ours:
                self._working.pop(client_id, None)

    async def idle(self, client_id: str) -> None:
        """Wait until nothing is worked off for a client."""
        while ours := self._working.get(client_id):
            await next(iter(ours)).wait()

    def all(self) -> list[tuple[http.HTTPFlow, OpenStream]]:
        """Those that are open; what ended without a word is left out."""
        return [(flow, stream) for flow, stream in self._streams.items() if flow.live and flow.error is None]
