"""From what an OpenID provider says of somebody to a user of the store.

The provider decides who comes in, by the groups it asserts: those that ``allow`` names count, all others are as if they
were not there, and who has none of them is shut out, at once and with every session and token. A person is issuer and
subject; the name is taken from a claim the first time and stays, so that nobody becomes somebody else by a rename.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gatehold.config.console import OidcSpec
from gatehold.people.claims import claim
from gatehold.people.model import NewSession, Way
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store
from gatehold.store.users import InvalidName, NameTaken, enrol, shut_out
from policy.rules.selectors import glob_matches

MOST_GROUPS: Final = 2000
"""Groups that a provider may assert; more are refused, not cut off."""


class Enrolling:
    """Makes people known and lets them in. Every method may block."""

    def __init__(self, store: Store, sessions: WebSessions, spec: OidcSpec, clock: Callable[[], float]) -> None:
        self._store = store
        self._sessions = sessions
        self._spec = spec
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Enrolling from {self._spec.issuer}>"

    def let_in(self, claims: Mapping[str, Any], *, address: str) -> NewSession:
        """A session for whom these claims (of a verified ID token) are about. Raises SignInRefused, StoreError."""
        subject = str(claims["sub"])
        if not subject.isprintable():
            raise SignInRefused(Why.NAME, "sub")
        groups = allowed_groups(claims, self._spec)
        refused: SignInRefused | None = None
        with self._store.writing() as connection:
            self._store.serialize(connection, "users")
            if not groups:
                name = shut_out(connection, self._spec.issuer, subject, now=self._clock())
                refused = SignInRefused(Why.GROUPS, user=name or "")
            else:
                try:
                    user = enrol(
                        connection,
                        issuer=self._spec.issuer,
                        subject=subject,
                        name=_name(claims, self._spec.name),
                        groups=groups,
                        now=self._clock(),
                    )
                except (InvalidName, NameTaken) as error:
                    raise SignInRefused(Why.NAME, type(error).__name__) from None
                return self._sessions.open_in(connection, user.name, Way.OIDC, address=address)
        raise refused


def allowed_groups(claims: Mapping[str, Any], spec: OidcSpec) -> frozenset[str]:
    """Those of the asserted groups that count here. Raises SignInRefused where the claim is not a list of texts."""
    asserted = claim(claims, spec.groups)
    groups = [asserted] if isinstance(asserted, str) else asserted
    if groups is None:
        return frozenset()
    if not isinstance(groups, list) or len(groups) > MOST_GROUPS or not all(isinstance(one, str) for one in groups):
        raise SignInRefused(Why.GROUPS, "the claim is no list of groups")
    return frozenset(one for one in groups if any(glob_matches(pattern, one) for pattern in spec.allow))


def _name(claims: Mapping[str, Any], wanted: str) -> str:
    """What to call somebody who is new; empty, which is no name, where the provider does not say."""
    name = claim(claims, wanted)
    # An address that the provider did not look at is what somebody likes to be called, not who they are.
    vouched = wanted != "email" or claims.get("email_verified") is True
    return name if isinstance(name, str) and vouched else ""
