"""Who a request is made as: whom a certificate or token shows, or whom that one speaks for by `Impersonate-*` headers.

A client certificate goes before a token. Only the token that the server was started with may impersonate.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a caller shows of itself."""

    certificate: str = ""
    """PEM; one that TLS has verified."""
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The tokens that are taken."""

    owner: str = field(repr=False)
    minted: AbstractSet[str] = field(default=frozenset(), repr=False)
    others: Mapping[str, Identity] = field(default_factory=dict, repr=False)


def caller_of(shown: Shown, known: Known, now: datetime) -> Identity:
    """Whom a caller shows itself to be. Raises ApiError (401)."""
    if shown.certificate:
        return _named_by(shown.certificate)
    scheme, _, token = shown.authorization.partition(" ")
    if scheme.lower() == "bearer":
        if _same(token, known.owner):
            return OWNER
        if any(_same(token, each) for each in known.minted) and int(_claims(token)["exp"]) > now.timestamp():
            return account(str(_claims(token)["sub"]))
        for each, identity in known.others.items():
            if _same(token, each):
                return identity
    raise statuses.unauthorized()


def identity_of(caller: Identity, headers: Sequence[tuple[str, str]]) -> Identity:
    """Who a request of this caller is made as. Raises ApiError (403, 500)."""
    users = [value for name, value in headers if name.lower() == "impersonate-user"]
    groups = [value for name, value in headers if name.lower() == "impersonate-group"]
    if not any(name.lower().startswith("impersonate-") for name, _ in headers):
        return caller
    if not users:
        why = "Internal error occurred: requested impersonation without impersonating a user"
        raise statuses.ApiError(500, "InternalError", why)
    if caller is not OWNER:
        raise _may_not(caller, users[0])
    known = account(users[0]).groups if users[0].startswith(ACCOUNTS) else ()
    found = tuple(dict.fromkeys((*(groups or known), "system:authenticated")))
    return Identity(user=users[0], groups=found, impersonated=True)


def _may_not(caller: Identity, user: str) -> statuses.ApiError:
    why = f'User "{caller.user}" cannot impersonate resource "users" in API group "" at the cluster scope'
    return statuses.ApiError(403, "Forbidden", f'users "{user}" is forbidden: {why}', {"name": user, "kind": "users"})


def _named_by(certificate: str) -> Identity:
    """Common name and organizations of a certificate."""
    subject = x509.load_pem_x509_certificate(certificate.encode()).subject
    names = [str(each.value) for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(each.value) for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if not names:
        raise statuses.unauthorized()
    return Identity(user=names[0], groups=(*groups, "system:authenticated"))


def _same(token: str, known: str) -> bool:
    return hmac.compare_digest(token.encode(), known.encode())


def _claims(token: str) -> dict[str, str]:
    """What a token that this server minted says."""
    claims = token.split(".")[1]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return found
