"""The agent's token in a file that somebody else rotates: a projected Kubernetes token, an identity agent's output."""

import base64
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAX_TOKEN = 8192
"""Characters; the gateway takes no longer ones."""
USER = "agent"

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class NoToken(Exception):
    """There is none that could be shown. The text names the file, never what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFile:
    """Read again for every connection: it is small, and a rotated token counts at once."""

    path: Path
    scheme: Literal["bearer", "basic"] = "bearer"

    def read(self) -> str:
        """The token. Raises NoToken."""
        try:
            with self.path.open("rb") as stream:
                content = stream.read(MAX_TOKEN + 3)
        except OSError as error:
            raise NoToken(f"the token file {self.path} cannot be read: {error.strerror}") from None
        token = content.strip(b" \t\r\n").decode("ascii", "replace")
        if not token:
            raise NoToken(f"the token file {self.path} is empty")
        if len(token) > MAX_TOKEN or not _TOKEN68.fullmatch(token):
            raise NoToken(f"the token file {self.path} holds no token")
        return token

    def authorization(self, token: str) -> str:
        """The value of a Proxy-Authorization header."""
        if self.scheme == "bearer":
            return f"Bearer {token}"
        return f"Basic {base64.b64encode(f'{USER}:{token}'.encode('ascii')).decode('ascii')}"


def expires_at(token: str) -> float | None:
    """Unix seconds at which a JWT says that it ends, unverified; None where it does not say, or is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    end = claims.get("exp") if isinstance(claims, dict) else None
    if isinstance(end, bool) or not isinstance(end, int | float):
        return None
    try:
        seconds = float(end)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None
