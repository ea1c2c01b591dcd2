"""Secrets of a Vault: the KV secrets engine, version 2, over Vault's HTTP API.

The keys of a secret whose values are texts are the fields.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from gatehold.config.credential_sources import VaultSpec
from gatehold.config.values import Secret
from gatehold.credentials.fields import Asker, Fields
from gatehold.credentials.vault_login import SEALED, VaultLogin, quoted


class VaultSource:
    """One secret."""

    per_agent = False

    def __init__(self, spec: VaultSpec, login: VaultLogin, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._login = login
        self._clock = clock
        version = f"?{urlencode({'version': spec.version})}" if spec.version else ""
        self._path = f"{quoted(spec.mount)}/data/{quoted(spec.path)}{version}"

    async def obtain(self, _: Asker | None) -> Fields:
        """Read it."""
        answer = await self._login.read(self._path)
        if not answer.is_success:
            raise answer.failure(_meaning(answer.status))
        match answer.value:
            case {"data": {"data": dict(values)}}:
                texts = {name: Secret(value) for name, value in values.items() if isinstance(value, str)}
                return Fields(values=texts, expires_at=self._clock() + self._spec.refresh)
        raise answer.unreadable("secret of a KV engine, version 2")


def _meaning(status: int) -> str:
    match status:
        case HTTPStatus.FORBIDDEN:
            return "Vault's policies do not let the gateway read the secret"
        case HTTPStatus.NOT_FOUND:
            return "there is no such secret, or this version was deleted, or it is no KV engine of version 2"
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return SEALED
    return ""
