"""What can go wrong with the store.

::

    GateholdError
    └── StoreError                  the store cannot be used as it is: wrong URL, foreign or newer database
        └── StoreUnavailable        it cannot be used now: locked, unreachable, disk full

Messages name no parameters of statements and no password of a URL.
"""

from policy.errors import GateholdError


class StoreError(GateholdError):
    """The store cannot be used as it is."""


class StoreUnavailable(StoreError):
    """The store cannot be used now; whatever depends on it is refused."""
