"""The gateway's sign-in at a Vault, one for all secrets that are read in the same way.

It is renewed while it lasts and made anew when it is over: Vault says 403 to a token that has expired or was revoked.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from gatehold.config.credential_sources import VaultAuthSpec, VaultSpec
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.outbound import Answer, Outbound
from gatehold.credentials.sources import Files

RENEW_AT = 2 / 3
"""Share of a sign-in's life after which it is renewed."""
SEALED = "sealed, or starting"
"""What Vault means by 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """A token of Vault's and for how long it is good."""

    token: Secret
    renew_at: float
    ends_at: float
    """Unix times; infinite for a token that does not end, or whose end is for others to know."""
    renewable: bool = False


class VaultLogin:
    """The gateway's sign-in at one Vault. Bound to the event loop that first uses it."""

    def __init__(self, spec: VaultSpec, clock: Callable[[], float] = time.time) -> None:
        """``spec`` is that of any of its secrets."""
        self._auth = spec.auth
        self._base = spec.address.rstrip("/") + "/v1/"
        self._namespace = spec.namespace
        self._clock = clock
        self._outbound = Outbound(spec.ca)
        self._lease: _Lease | None = None
        self._signing: asyncio.Task[_Lease] | None = None

    def __repr__(self) -> str:
        return f"<VaultLogin at {self._base}: {'signed in' if self._lease else 'not signed in'}>"

    async def read(self, path: str) -> Answer:
        """What Vault says of a path. Raises ``CredentialUnavailable``."""
        lease = await self._current()
        answer = await self._outbound.get(self._base + path, self._headers(lease.token))
        if answer.status != HTTPStatus.FORBIDDEN or await self._still_counts(lease):
            return answer
        lease = await self._current(but_not=lease)
        return await self._outbound.get(self._base + path, self._headers(lease.token))

    async def _still_counts(self, lease: _Lease) -> bool:
        """Whether Vault knows the token: then it is the path that is forbidden."""
        answer = await self._outbound.get(self._base + "auth/token/lookup-self", self._headers(lease.token))
        return answer.is_success

    async def _current(self, but_not: _Lease | None = None) -> _Lease:
        if self._auth.token is not None:
            return _Lease(token=self._auth.token.resolve(), renew_at=math.inf, ends_at=math.inf)
        if self._signing is None:
            if self._lease is but_not:
                self._lease = None
            if self._lease is not None and self._clock() < self._lease.renew_at:
                return self._lease
            self._signing = asyncio.create_task(self._fresh(), name=f"sign-in at {self._base}")
        # All who come meanwhile share what comes of it, be it a failure; it goes on if one of them is given up.
        return await asyncio.shield(self._signing)

    async def _fresh(self) -> _Lease:
        try:
            self._lease = await self._renewed(self._lease) or await self._signed_in()
            return self._lease
        finally:
            self._signing = None

    async def _renewed(self, lease: _Lease | None) -> _Lease | None:
        """The same token for longer; None: it has to be another one."""
        if lease is None or not lease.renewable or self._clock() >= lease.ends_at:
            return None
        answer = await self._outbound.post_json(
            self._base + "auth/token/renew-self", {}, headers=self._headers(lease.token)
        )
        if not answer.is_success:
            return None
        renewed = self._lease_of(answer)
        # Near its greatest age Vault gives less and less: then a new one is due.
        return renewed if renewed.ends_at > lease.ends_at + 1 else None

    async def _signed_in(self) -> _Lease:
        path, proof = _proof(self._auth)
        answer = await self._outbound.post_json(f"{self._base}auth/{path}/login", proof, headers=self._headers())
        if not answer.is_success:
            raise answer.failure(
                SEALED if answer.status == HTTPStatus.SERVICE_UNAVAILABLE else "Vault takes no sign-in"
            )
        return self._lease_of(answer)

    def _lease_of(self, answer: Answer) -> _Lease:
        match answer.value.get("auth"):
            case {"client_token": str(token), "lease_duration": int(seconds), **rest} if token and seconds >= 0:
                life = math.inf if seconds == 0 else float(min(seconds, 10**9))
                now = self._clock()
                return _Lease(
                    token=Secret(token),
                    renew_at=now + life * RENEW_AT,
                    ends_at=now + life,
                    renewable=rest.get("renewable") is True,
                )
        raise answer.unreadable("answer of Vault")

    def _headers(self, token: Secret | None = None) -> Mapping[str, Secret | str]:
        headers: dict[str, Secret | str] = {"X-Vault-Request": "true"}
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        return headers | {"X-Vault-Token": token} if token else headers


class VaultLogins:
    """One sign-in for all secrets that are read in the same way."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: list[tuple[VaultSpec, VaultLogin]] = []

    def of(self, spec: VaultSpec) -> VaultLogin:
        """The one for this secret."""
        for known, login in self._known:
            if _way(known) == _way(spec):
                return login
        login = VaultLogin(spec, self._clock)
        self._known.append((spec, login))
        return login


def quoted(path: str) -> str:
    """Names with ``/`` between them, as they stand in an address."""
    return quote(path, safe="/")


def _way(spec: VaultSpec) -> tuple[object, ...]:
    return spec.address, spec.ca, spec.namespace, spec.auth


def _proof(auth: VaultAuthSpec) -> tuple[str, dict[str, str]]:
    """The mount of the auth method, and what is shown to it. Raises ``CredentialUnavailable``."""
    if auth.approle is not None:
        proof = {"role_id": auth.approle.role_id.resolve().reveal()}
        if auth.approle.secret_id is not None:
            proof["secret_id"] = auth.approle.secret_id.resolve().reveal()
        return quoted(auth.approle.mount), proof
    if auth.kubernetes is not None:
        token = Files().text(auth.kubernetes.token_file)
        return quoted(auth.kubernetes.mount), {"role": auth.kubernetes.role, "jwt": token}
    raise CredentialUnavailable("there is no way to sign in to Vault")
