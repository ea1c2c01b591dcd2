"""Tokens by which a filtered list is continued, sealed.

The API server's ``continue`` token is base64 of JSON that names the next object, visible or not
(k8s.io/apiserver/pkg/storage/continue.go). An agent gets it encrypted (AES-256-GCM) and padded, so that neither the
name nor its length can be read, and bound to the agent's session, the target and the list: its path, and every query
parameter that says which objects it is about. The key is one per installation, in ``keys/continuation.key``.

Clients do not repeat all parameters when they continue: client-go's pager takes the resource version away.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatehold.keyfile import key_file
from policy.actions.queries import read_parameters
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, TargetName

_VERSION = b"\x01"
_NONCE = 12
_BLOCK = 256
"""Bytes to a multiple of which a token is padded."""
_MAX_TOKEN = 16 * 1024
_PAGING = frozenset({"continue", "limit", "resourceVersion", "resourceVersionMatch", "timeout", "timeoutSeconds"})
"""Parameters that differ from page to page, or say nothing of which objects are listed."""

_SELECTORS = frozenset({"labelSelector", "fieldSelector"})
_LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCall:
    """One filtered read: who lists what."""

    agent: Agent
    target: TargetName
    path: str
    """Canonical path and raw query."""

    @property
    def binding(self) -> bytes:
        """What a token for this list is bound to."""
        path, _, query = self.path.partition("?")
        chosen = sorted((name, values) for name, values in read_parameters(query).items() if name not in _PAGING)
        return json.dumps(
            [self.agent.issuer, self.agent.subject, self.agent.session, self.target, path, chosen],
            separators=(",", ":"),
        ).encode()


class Continuation:
    """Seals and opens the tokens of filtered lists."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, token: str, call: ListCall) -> str:
        """A server's token as the agent gets it; it needs no escaping in a URL."""
        nonce, plain = secrets.token_bytes(_NONCE), token.encode() + b"\x80"
        padded = plain + bytes(-len(plain) % _BLOCK)
        sealed = _VERSION + nonce + self._cipher.encrypt(nonce, padded, _VERSION + call.binding)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, sealed: str, call: ListCall) -> str:
        """The server's token; raises Refusal ``malformed`` for one that was not sealed for this list and session."""
        try:
            if len(sealed) > _MAX_TOKEN or not sealed.isascii():
                raise _malformed()
            raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
            nonce, encrypted = raw[1 : 1 + _NONCE], raw[1 + _NONCE :]
            padded = self._cipher.decrypt(nonce, encrypted, raw[:1] + call.binding)
        except (binascii.Error, InvalidTag, ValueError):
            raise _malformed() from None
        return padded.rstrip(b"\0")[:-1].decode()

    def outgoing(self, call: ListCall) -> str:
        """The path that is sent for a filtered read: sealed tokens opened, and Tables with objects to judge rows by.

        ``includeObject=None`` becomes ``Metadata``. A list with a selector is asked for in one piece: that there is
        another chunk would tell whether a hidden object has the label, the field, or the name that was guessed.
        Everything else keeps its bytes and its place. Raises Refusal.
        """
        path, mark, query = call.path.partition("?")
        if not _SELECTORS.isdisjoint(read_parameters(query)):
            query = "&".join(pair for pair in query.split("&") if _LIMIT not in read_parameters(pair))
        rewritten = {
            "continue": lambda value: self.open(value, call) if value else value,
            "includeObject": _with_object,
        }
        return path + mark + "&".join(_rewritten(pair, rewritten) for pair in query.split("&"))


def continuation(data_dir: Path) -> Continuation:
    """The tokens of an installation. Raises KeyFileError where its key cannot be used."""
    return Continuation(key_file(data_dir / "keys" / "continuation.key"))


def _rewritten(pair: str, rules: Mapping[str, Callable[[str], str]]) -> str:
    """A pair of a query, its value changed where the server reads it and a rule is about it."""
    for name, (value,) in read_parameters(pair).items():
        changed = rules[name](value) if name in rules else value
        if changed != value:
            return f"{pair.partition('=')[0]}={quote(changed, safe='')}"
    return pair


def _with_object(include: str) -> str:
    return "Metadata" if include == "None" else include


def _malformed() -> Refusal:
    return Refusal(Code.MALFORMED, "malformed request: the continue token is not one of this list and session")
