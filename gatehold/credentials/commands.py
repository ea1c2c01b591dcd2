"""Fields that a command prints, in one of three formats that are told apart by what is in them.

``ExecCredential`` (client-go credential plugins), AWS ``credential_process`` output (version 1), or a plain JSON object
whose values are texts, of which ``expires`` says when it ends (RFC 3339).
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gatehold.config.credential_sources import ExecSpec
from gatehold.config.values import Secret
from gatehold.credentials.fields import Asker, Fields
from gatehold.credentials.moments import unix_time
from gatehold.credentials.processes import Command, output_of
from gatehold.credentials.sources import CredentialDelayed
from gatehold.identity.jose import strict_json

_KUBERNETES = {"token": "token", "clientCertificateData": "client_certificate", "clientKeyData": "client_key"}
_AWS = {
    "AccessKeyId": "access_key_id",
    "SecretAccessKey": "secret_access_key",
    "SessionToken": "session_token",
}
_REQUEST = json.dumps(
    {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
)
"""What credential plugins are told; others do not read it."""

type _Printed = tuple[Mapping[str, Secret], float | None]


class ExecSource:
    """What a command prints now."""

    per_agent = False

    def __init__(self, spec: ExecSpec, clock: Callable[[], float] = time.time) -> None:
        self._refresh = spec.refresh
        self._timeout = spec.timeout
        self._clock = clock
        self._command = Command(
            title=f"command {Path(spec.command).name}",
            program=spec.command,
            arguments=spec.args,
            environment={"KUBERNETES_EXEC_INFO": _REQUEST, **spec.env},
        )

    async def obtain(self, _: Asker | None) -> Fields:
        """Run it."""
        output = await output_of(self._command, self._timeout)
        try:
            values, ends = read_fields(output)
        except (ValueError, RecursionError):
            title = self._command.title
            raise CredentialDelayed(f"{title}: what it prints is no credential in a format that is known") from None
        return Fields(values=values, expires_at=self._clock() + self._refresh if ends is None else ends)


def read_fields(output: bytes) -> _Printed:
    """The fields that a command printed, and the Unix time at which they end. Raises ``ValueError``."""
    document = strict_json(output.decode("utf-8"))
    match document:
        case {"kind": "ExecCredential", "status": dict(status)}:
            return _named(status, _KUBERNETES), _end(status.get("expirationTimestamp"))
        case {"Version": 1, "AccessKeyId": _, "SecretAccessKey": _}:
            return _named(document, _AWS), _end(document.get("Expiration"))
        case {"kind": "ExecCredential"} | {"Version": int()}:
            raise ValueError("a known format without what belongs to it")
        case dict():
            plain = {name: value for name, value in document.items() if name != "expires"}
            return _named(plain, {name: name for name in plain}), _end(document.get("expires"))
    raise ValueError("not a JSON object")


def _named(document: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Secret]:
    found = {name: document[key] for key, name in names.items() if document.get(key) is not None}
    if not found or not all(isinstance(value, str) and value for value in found.values()):
        raise ValueError("fields are texts with something in them")
    return {name: Secret(value.strip()) for name, value in found.items()}


def _end(moment: object) -> float | None:
    if moment is None:
        return None
    if not isinstance(moment, str):
        raise ValueError("times are texts")  # noqa: TRY004 - of the command's making, not the caller's
    return unix_time(moment)
