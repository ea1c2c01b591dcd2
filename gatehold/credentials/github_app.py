"""Installation tokens of a GitHub App (GitHub's REST API, "Create an installation access token for an app")."""

import time
from collections.abc import Callable
from typing import Any

from gatehold.config.credential_sources import GitHubAppSpec
from gatehold.config.values import Secret
from gatehold.credentials.assertions import signed
from gatehold.credentials.fields import Asker, Fields
from gatehold.credentials.moments import unix_time
from gatehold.credentials.oauth import TOKEN
from gatehold.credentials.outbound import Outbound

_LIFE, _SLACK = 540, 60
"""Seconds of the App's own JWT; GitHub takes ten minutes at most, and its clock may be behind."""
_WHAT = "installation token"


class GitHubAppSource:
    """A token for one installation."""

    per_agent = False

    def __init__(self, spec: GitHubAppSpec, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._clock = clock
        self._outbound = Outbound(spec.ca)
        self._url = f"{spec.api_url.rstrip('/')}/app/installations/{spec.installation_id}/access_tokens"
        self._wanted: dict[str, Any] = {}
        if spec.repositories:
            self._wanted["repositories"] = list(spec.repositories)
        if spec.permissions:
            self._wanted["permissions"] = dict(spec.permissions)

    async def obtain(self, _: Asker | None) -> Fields:
        """Ask for a token."""
        headers: dict[str, Secret | str] = {
            "Authorization": Secret(f"Bearer {self._own_token().reveal()}"),
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        answer = await self._outbound.post_json(self._url, self._wanted, headers)
        if not answer.is_success:
            raise answer.failure()
        token = Secret(answer.text("token", _WHAT))
        try:
            ends = unix_time(answer.text("expires_at", _WHAT))
        except ValueError:
            raise answer.unreadable(_WHAT) from None
        return Fields(values={TOKEN: token}, expires_at=ends)

    def _own_token(self) -> Secret:
        """Who the App is, for the one request."""
        now = int(self._clock())
        claims = {"iat": now - _SLACK, "exp": now + _LIFE, "iss": self._spec.app_id}
        return signed(self._spec.private_key, claims)
