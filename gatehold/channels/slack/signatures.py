"""Requests that Slack signs: https://docs.slack.dev/authentication/verifying-requests-from-slack/

A signature counts for five minutes and once. Those seen are remembered in memory: a repetition that reaches another
replica is refused there by what it would do, for an answer counts once and a code is good once.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

WINDOW: Final = 300.0
"""Seconds between the signature's time and ours."""
_REMEMBERED: Final = 10_000
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Flaw(StrEnum):
    """Why a request is not taken for Slack's."""

    MALFORMED = "malformed"
    """The headers are missing, doubled or no such thing."""
    STALE = "stale"
    FORGED = "forged"
    REPLAYED = "replayed"


class Signatures:
    """Those that were seen."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def flaw(
        self, secret: str, body: bytes, times: Sequence[str], signatures: Sequence[str], *, now: float
    ) -> Flaw | None:
        """What is wrong with a request that has these headers; None, once, for what Slack signed."""
        if len(times) != 1 or len(signatures) != 1:
            return Flaw.MALFORMED
        [time], [signature] = times, signatures
        if not _TIME.fullmatch(time) or not _SIGNATURE.fullmatch(signature):
            return Flaw.MALFORMED
        if abs(now - int(time)) > WINDOW:
            return Flaw.STALE
        wanted = hmac.new(secret.encode(), b":".join((b"v0", time.encode(), body)), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v0={wanted}", signature):
            return Flaw.FORGED
        return None if self._is_new(signature, now) else Flaw.REPLAYED

    def _is_new(self, signature: str, now: float) -> bool:
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if signature in self._seen or len(self._seen) >= _REMEMBERED:
            return False
        self._seen[signature] = now + 2 * WINDOW
        return True
