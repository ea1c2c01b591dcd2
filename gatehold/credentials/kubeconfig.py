"""The user of a kubeconfig context (client-go, ``tools/clientcmd/api/v1``).

Only who the gateway is is taken from a kubeconfig. Where calls go, and which server certificate is trusted, is the
target's to say: ``server``, ``certificate-authority`` and ``proxy-url`` have no effect here.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.sources import Files

_ACTS_AS_OTHERS = ("as", "as-uid", "as-groups", "as-user-extra")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One entry of ``users``, with what is needed to make sense of it."""

    name: str
    section: Mapping[str, Any] = field(repr=False)
    directory: Path
    """Relative paths start here."""
    cluster: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    context: str


def read_user(path: Path, context: str | None, files: Files) -> User:
    """The user of ``context``, or of the current one. Raises ``CredentialUnavailable``."""
    document = _document(path, files)
    chosen = context or document.get("current-context")
    if not isinstance(chosen, str):
        raise CredentialUnavailable(f"{path} has no current context, and the target names none")
    names = _entry(path, document, "context", chosen)
    user = names.get("user")
    section = _entry(path, document, "user", user)
    if not section:
        raise CredentialUnavailable(f"{path}: user {user!r} has no credential")
    for key in _ACTS_AS_OTHERS:
        if key in section:
            raise CredentialUnavailable(f"{path}: user {user!r} acts as somebody else (`{key}`)")
    return User(
        name=str(user),
        section=section,
        directory=path.parent,
        cluster=_entry(path, document, "cluster", names.get("cluster")),
        document=document,
        context=chosen,
    )


def client_certificate(user: User, files: Files) -> tuple[str, Secret] | None:
    """Certificate and key of the user, PEM; None if it has none. Raises ``CredentialUnavailable``."""
    certificate = _data_or_file(user, "client-certificate", files)
    key = _data_or_file(user, "client-key", files)
    if (certificate is None) != (key is None):
        raise CredentialUnavailable(f"user {user.name!r}: client certificate and client key belong together")
    return None if certificate is None or key is None else (certificate, Secret(key))


def static_token(user: User, files: Files) -> Secret | None:
    """The user's token; a token file goes before a token, as in client-go. Raises ``CredentialUnavailable``."""
    token_file, token = user.section.get("tokenFile"), user.section.get("token")
    if token_file:
        token = files.text(user.directory / str(token_file))
    if not token:
        return None
    if not isinstance(token, str):
        raise CredentialUnavailable(f"user {user.name!r}: the token is not a text")
    return Secret(token)


def _document(path: Path, files: Files) -> Mapping[str, Any]:
    try:
        document = yaml.load(files.read(path), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise CredentialUnavailable(f"{path} is not YAML") from None
    if not isinstance(document, dict):
        raise CredentialUnavailable(f"{path} is not a kubeconfig")
    return document


def _entry(path: Path, document: Mapping[str, Any], kind: str, name: object) -> Mapping[str, Any]:
    """The one entry of that name in the list of that kind."""
    entries = document.get(f"{kind}s")
    found = [
        entry.get(kind)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("name") == name
    ]
    if len(found) != 1 or not isinstance(found[0] or {}, dict):
        raise CredentialUnavailable(f"{path} does not have exactly one {kind} {name!r}")
    return found[0] or {}


def _data_or_file(user: User, key: str, files: Files) -> str | None:
    """``KEY-data`` (base64) goes before ``KEY`` (a path), as in client-go."""
    data, name = user.section.get(f"{key}-data"), user.section.get(key)
    if data:
        try:
            return base64.b64decode(str(data), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise CredentialUnavailable(f"user {user.name!r}: {key}-data is not base64 of PEM") from None
    return files.text(user.directory / str(name)) if name else None
