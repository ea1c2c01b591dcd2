"""Who a request is made as: the token's owner, or whom that one speaks for by `Impersonate-*` headers.

Only the token the server was started with may impersonate.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gatehold.demo.kubernetes import statuses

ACCOUNTS = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user as the server's authentication tells it."""

    user: str
    groups: tuple[str, ...]
    impersonated: bool = False
    """Whether the caller spoke for somebody else."""


def account(subject: str) -> Identity:
    """The identity of a ServiceAccount, by `system:serviceaccount:NAMESPACE:NAME`."""
    namespace = subject.removeprefix(ACCOUNTS).partition(":")[0]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return Identity(user=subject, groups=groups)


OWNER = account("system:serviceaccount:gatehold:gateway")
"""Whom the server's own token belongs to."""


def identity_of(token: str, headers: Sequence[tuple[str, str]], *, owner: bool) -> Identity:
    """Who a request is made as. `owner`: by the server's own token. Raises ApiError (403, 500)."""
    users = [value for name, value in headers if name.lower() == "impersonate-user"]
    groups = [value for name, value in headers if name.lower() == "impersonate-group"]
    caller = OWNER if owner else account(_subject(token))
    if not any(name.lower().startswith("impersonate-") for name, _ in headers):
        return caller
    if not users:
        why = "Internal error occurred: requested impersonation without impersonating a user"
        raise statuses.ApiError(500, "InternalError", why)
    if not owner:
        raise _may_not(caller, users[0])
    known = account(users[0]).groups if users[0].startswith(ACCOUNTS) else ()
    found = tuple(dict.fromkeys((*(groups or known), "system:authenticated")))
    return Identity(user=users[0], groups=found, impersonated=True)


def _may_not(caller: Identity, user: str) -> statuses.ApiError:
    why = f'User "{caller.user}" cannot impersonate resource "users" in API group "" at the cluster scope'
    return statuses.ApiError(403, "Forbidden", f'users "{user}" is forbidden: {why}', {"name": user, "kind": "users"})


def _subject(token: str) -> str:
    """The subject of a token that this server minted."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"])
