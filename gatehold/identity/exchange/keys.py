"""By what the gateway signs tokens, and by what it knows them again.

The private half of a key lives in the memory of the process that made it and nowhere else; the public half is in the
store, so that every gateway on it knows the tokens of all others, also of those that are gone. A key signs for a day.
What was read from the store is believed for a minute; for a key that is not known the store is read again, a few times
a second at most, however many ask.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select

from gatehold.config.exchange import LONGEST_TTL
from gatehold.identity.jose import seal
from gatehold.identity.keys import public_jwk
from gatehold.identity.keyset import Key, parse_keys
from gatehold.identity.refusals import Reason, refused
from gatehold.store import Store
from gatehold.store.errors import StoreError
from gatehold.store.schema import signing_keys
from policy.codes import Code
from policy.errors import Refusal

ALGORITHM: Final = "EdDSA"
ROTATION: Final = 86400.0
"""Seconds for which one key signs."""
BELIEVED: Final = 60.0
"""Seconds for which what the store said is believed."""
EVERY: Final = 0.25
"""Seconds between two looks at the store for keys that are not known."""
MARGIN: Final = 60.0
"""Seconds for which a key outlives its tokens."""

_KID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    key: Ed25519PrivateKey = field(repr=False)
    kid: str
    until: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What the store said at one moment."""

    began: float
    """When reading began, on the monotonic clock."""
    keys: Mapping[str, tuple[Key, float]]
    """``kid`` -> key, and when it ends in Unix seconds."""


class SigningKeys:
    """The keys of all gateways on one store, and this one's own. Belongs to one event loop."""

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.time, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._signer: _Signer | None = None
        self._view: _View | None = None
        self._making = asyncio.Lock()
        self._looking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<SigningKeys: {len(self._view.keys) if self._view else 0} known>"

    async def sign(self, payload: Mapping[str, Any]) -> str:
        """A compact JWS by this process's key of the day. Raises Refusal (gateway-error) without the store."""
        async with self._making:
            signer = self._signer
            if signer is None or self._clock() >= signer.until:
                signer = self._signer = await self._made()
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": signer.kid}
        return seal(header, payload, signer.key.sign)

    async def find(self, kid: str | None) -> Key:
        """The public key of that name. Raises Refusal: ``unknown-key``; ``gateway-error`` without the store."""
        if kid is None or not _KID.fullmatch(kid):
            raise refused(Reason.UNKNOWN_KEY)
        key = self._known(kid)
        asked = self._monotonic()
        if key is None:
            await self._look(asked)
            key = self._known(kid)
        if key is None:
            raise refused(Reason.UNKNOWN_KEY)
        return key

    def counts(self, kid: str) -> bool:
        """Whether a key that was found may still be believed, without another look."""
        return self._known(kid) is not None

    def _known(self, kid: str) -> Key | None:
        view = self._view
        if view is None or self._monotonic() - view.began >= BELIEVED:
            return None
        key, ends = view.keys.get(kid, (None, 0.0))
        return key if self._clock() < ends else None

    async def _look(self, asked: float) -> None:
        """Read the store; whoever asks meanwhile waits for the next look, which is made for all of them."""
        async with self._looking:
            if self._view is not None:
                if self._view.began > asked:
                    return
                await asyncio.sleep(max(0.0, self._view.began + EVERY - self._monotonic()))
            try:
                self._view = await asyncio.to_thread(self._read)
            except StoreError as error:
                raise _unavailable() from error

    def _read(self) -> _View:
        began, now = self._monotonic(), self._clock()
        with self._store.reading() as connection:
            rows = connection.execute(select(signing_keys).where(signing_keys.c.expires > now)).all()
        read = ((row.kid, _key(row.kid, row.jwk), row.expires) for row in rows)
        return _View(began=began, keys={kid: (key, ends) for kid, key, ends in read if key is not None})

    async def _made(self) -> _Signer:
        key = Ed25519PrivateKey.generate()
        now, jwk = self._clock(), public_jwk(key.public_key())
        row = {"kid": jwk["kid"], "jwk": jwk, "created": now, "expires": now + ROTATION + LONGEST_TTL + MARGIN}
        try:
            await asyncio.to_thread(self._keep, row, now)
        except StoreError as error:
            raise _unavailable() from error
        return _Signer(key=key, kid=str(jwk["kid"]), until=now + ROTATION)

    def _keep(self, row: Mapping[str, Any], now: float) -> None:
        with self._store.writing() as connection:
            connection.execute(delete(signing_keys).where(signing_keys.c.expires <= now))
            connection.execute(insert(signing_keys).values(row))


def _key(kid: str, jwk: Mapping[str, Any]) -> Key | None:
    """The key of a row; None for one that no gateway wrote."""
    key = parse_keys(json.dumps({"keys": [jwk]}).encode(), (ALGORITHM,)).named(kid)
    return key if key is not None and key.thumbprint == kid else None


def _unavailable() -> Refusal:
    return Refusal(Code.GATEWAY_ERROR, "It cannot be told now which tokens of the gateway count.", retry_after=1)
