"""The door: passwords are looked at here, tries are counted, and who was refused is written down.

Three counts, since each alone is got around: of tries from one address (which bounds how many names somebody can try),
of tries for one name (from many addresses), and of what is written to the audit trail about too many tries.
"""

from collections.abc import Callable
from typing import Final

from gatehold.people.model import NewSession, Way
from gatehold.people.passwords import Passwords
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.throttle import Throttle, network_of
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store
from gatehold.store.outbox import append
from gatehold.store.users import LONGEST_NAME, find_user

BY_ADDRESS: Final = (30, 600.0)
BY_NAME: Final = (10, 900.0)
"""So many tries, in so many seconds. A good one does not count."""
_TOLD: Final = (1, 60.0)


class Entrance:
    """Lets people in. Safe to use from any thread; what blocks says so."""

    def __init__(
        self, store: Store, sessions: WebSessions, *, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = Passwords(store, clock)
        self._clock = clock
        self._addresses = Throttle(*BY_ADDRESS, monotonic)
        self._names = Throttle(*BY_NAME, monotonic)
        self._told = Throttle(*_TOLD, monotonic)

    def __repr__(self) -> str:
        return f"<Entrance to {self._store!r}>"

    def by_password(self, name: str, password: str, *, address: str) -> NewSession:
        """Let a local user in. Takes a while. Raises SignInRefused, StoreError."""
        network, known_as = network_of(address), name[: LONGEST_NAME + 1]
        self.charge(address)
        late = self._names.attempt(known_as)
        if late:
            raise SignInRefused(Why.THROTTLED, "by name", user=known_as, retry_after=late)
        if not self._passwords.fits(known_as, password):
            raise SignInRefused(Why.CREDENTIALS, user=known_as)
        self._addresses.forgive(network)
        self._names.forgive(known_as)
        return self._sessions.open(name, Way.PASSWORD, address=address)

    def change_password(self, name: str, current: str, new: str) -> None:
        """Give a user who knows the password another one; their sessions end. Takes a while.

        Raises SignInRefused, WeakPassword, StoreError.
        """
        late = self._names.attempt(name)
        if late:
            raise SignInRefused(Why.THROTTLED, "by name", user=name, retry_after=late)
        if not self._passwords.fits(name, current):
            raise SignInRefused(Why.CREDENTIALS, "at a change of the password", user=name)
        self._names.forgive(name)
        self._passwords.set(name, new, by=name)

    def charge(self, address: str) -> None:
        """Count a try from this address. Does not block. Raises SignInRefused when there were too many."""
        late = self._addresses.attempt(network_of(address))
        if late:
            raise SignInRefused(Why.THROTTLED, "by address", retry_after=late)

    def forgive(self, address: str) -> None:
        """That try was good. Does not block."""
        self._addresses.forgive(network_of(address))

    def note(self, refused: SignInRefused, way: Way, *, address: str) -> None:
        """Write down that somebody was refused; of too many tries, only some. Blocks. Raises StoreError.

        What was typed as a name may be a password in the wrong field: only names of users are written.
        """
        if refused.why is Why.THROTTLED and self._told.attempt(network_of(address)):
            return
        with self._store.writing() as connection:
            user = find_user(connection, refused.user)
            event = {"kind": "sign-in", "action": "refused", "user": user.name if user else "", "way": way.value}
            event |= {"why": refused.why.value, "detail": refused.detail, "from": address}
            append(connection, {**event, "by": user.name if user else "unknown"}, at=self._clock())
