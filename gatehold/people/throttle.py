"""How often something may be tried: so many at once, and then one in a while (GCRA, as in ``policy.limits``).

A try is charged before anybody looks whether it is good, so that many at the same moment gain nothing; a good one is
given back. Keys are bounded in number; the caller sees to it that nobody fills them (an address is asked before names).
Counts are of this process and gone with it.
"""

import ipaddress
import threading
from collections.abc import Callable
from typing import Final

MOST_KEYS: Final = 50_000


class Throttle:
    """Tries by key. Safe to use from any thread; nothing here blocks."""

    def __init__(self, amount: int, window: float, monotonic: Callable[[], float]) -> None:
        """``amount`` tries at once, as many again in ``window`` seconds."""
        self._step = window / amount
        self._window = window
        self._monotonic = monotonic
        self._arrivals: dict[str, float] = {}
        """Key -> theoretical arrival time of its next try; the oldest first."""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Throttle of {len(self._arrivals)} keys>"

    def attempt(self, key: str) -> float:
        """Charge a try: 0 if it may be made, else the seconds until one may."""
        with self._lock:
            now = self._monotonic()
            arrival = max(self._arrivals.pop(key, now), now) + self._step
            late = arrival - now - self._window
            if late > self._step * 1e-6:
                self._arrivals[key] = arrival - self._step
                return late
            self._make_room(now)
            self._arrivals[key] = arrival
            return 0.0

    def forgive(self, key: str) -> None:
        """Give a try back that was good."""
        with self._lock:
            if key in self._arrivals:
                self._arrivals[key] -= self._step

    def _make_room(self, now: float) -> None:
        if len(self._arrivals) < MOST_KEYS:
            return
        self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        while len(self._arrivals) >= MOST_KEYS:
            del self._arrivals[next(iter(self._arrivals))]


def network_of(address: str) -> str:
    """What stands for one client: an IPv4 address, or the /64 of an IPv6 address, all of which one machine can use."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
