"""``${env:}``, ``${file:}`` and ``${from:}`` stand for secrets, so they are understood in credential fields only.

Anywhere else they would be taken as they are written, and a secret would be looked for where none is.
"""

from collections.abc import Iterator
from typing import Any

from gatehold.config.judging import kind_of
from gatehold.config.source import Document, Place
from policy.model import Problem

_FORMS = (("value",), ("bearer",), ("basic", "username"), ("basic", "password"))
_AWS = (("aws", "accessKeyId"), ("aws", "secretAccessKey"), ("aws", "sessionToken"))
_FROM = (
    ("from", "vault", "auth", "approle", "roleId"),
    ("from", "vault", "auth", "approle", "secretId"),
    ("from", "vault", "auth", "token"),
    ("from", "oauth", "clientSecret"),
    ("from", "exchange", "clientSecret"),
)
CREDENTIAL_FIELDS: frozenset[Place] = frozenset(("spec", "credential", *field) for field in (*_FORMS, *_AWS, *_FROM))
CLIENT_SECRET: Place = ("spec", "console", "login", "oidc", "clientSecret")
"""The one of a Gateway: by which it is known to the OpenID provider of people."""
_OBJECT_STORE = frozenset(("spec", "recordings", "objectStore", key) for key in ("accessKeyId", "secretAccessKey"))
_CHANNEL_SECRETS = frozenset(
    {("webhook", "secret"), ("slack", "botToken"), ("slack", "appToken"), ("slack", "signingSecret")}
)
_EXEMPT = frozenset({"PolicyTest"})
"""Requests in tests are data."""


def misplaced_references(document: Document) -> Iterator[Problem]:
    """A problem for each text with ``${`` in it that is no credential."""
    kind = kind_of(document)
    if kind in _EXEMPT:
        return
    for place, text in _texts(document.value, ()):
        if "${" in text and not _may_stand(kind, place):
            yield document.problem(place, "`${...}` is resolved in credential fields only")


def _may_stand(kind: str | None, place: Place) -> bool:
    match kind, place:
        case "Target", _:
            return place in CREDENTIAL_FIELDS
        case "Gateway", ("spec", "notify", int(), str(channel), str(key)):
            return (channel, key) in _CHANNEL_SECRETS
        case "Gateway", ("spec", "audit", "sinks", int(), "webhook", "secret"):
            return True
        case "Gateway", _:
            return place == CLIENT_SECRET or place in _OBJECT_STORE
    return False


def _texts(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[Place, str]]:
    """Every text in a value, keys included, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _texts(item, (*place, at))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*place, key), key
            yield from _texts(item, (*place, key))
