"""Assertions count once: which were used is in the store, so that no second gateway takes one either."""

import hashlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from gatehold.identity.exchange.saml import Shown
from gatehold.identity.exchange.wrong import Wrong, wrong
from gatehold.store import Store
from gatehold.store.schema import used_assertions

MARGIN: Final = 600.0
"""Seconds for which one is remembered after it is over: clocks of gateways differ."""


class UsedAssertions:
    """Safe to use from any thread; blocks."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __repr__(self) -> str:
        return f"<UsedAssertions in {self._store!r}>"

    def use(self, shown: Shown) -> None:
        """Use it up. Raises Refusal where that was done before, StoreError where it cannot be told."""
        insert = postgresql.insert if self._store.dialect == "postgresql" else sqlite.insert
        row = {"digest": _digest(shown.issuer, shown.id), "expires": shown.until + MARGIN}
        once = insert(used_assertions).values(row).on_conflict_do_nothing().returning(used_assertions.c.digest)
        with self._store.writing() as connection:
            connection.execute(delete(used_assertions).where(used_assertions.c.expires <= self._clock()))
            if connection.execute(once).first() is None:
                raise wrong(Wrong.USED)


def _digest(*parts: str) -> str:
    """SHA-256 over ``parts``, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
