"""A JWKS document (RFC 7517) as keys that can verify, pinned to the algorithms that the issuer may use.

A key is kept only if one of the pinned algorithms fits its type, curve and size: a symmetric key never gets into the
set of an issuer that signs asymmetrically, so a public key can never be taken for a shared secret. A ``kid`` that names
two different keys names none. Only the members that make a public key are read; ``x5c``, ``x5u`` and the like are not.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from gatehold.identity.jose import MAX_KEY_ID, strict_json
from gatehold.identity.jwk import PUBLIC_MEMBERS, thumbprint

MAX_KEYS = 100
MAX_RSA_BITS = 8192

FITTING: Mapping[str, tuple[str, frozenset[str | None]]] = {
    **{f"{family}{size}": ("RSA", frozenset({None})) for family in ("RS", "PS") for size in (256, 384, 512)},
    **{f"HS{size}": ("oct", frozenset({None})) for size in (256, 384, 512)},
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "EdDSA": ("OKP", frozenset({"Ed25519", "Ed448"})),
}
"""Algorithm -> key type and curves (RFC 7518, RFC 8037)."""
SYMMETRIC = frozenset(name for name, (kind, _) in FITTING.items() if kind == "oct")
_VERIFIERS: Mapping[str, Algorithm] = get_default_algorithms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key that may verify tokens."""

    key_id: str | None
    algorithms: frozenset[str]
    """Those of the issuer's pinned algorithms that this key may be used with."""
    thumbprint: str
    """RFC 7638: the same key has the same one, wherever it is published."""
    issuer: str | None = None
    """The only ``iss`` that it counts for, where the set says so; ``{tenantid}`` in it stands for the claim ``tid``."""
    material: Any = field(repr=False)

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is this key's, by ``algorithm``, over ``signed``."""
        return algorithm in self.algorithms and _VERIFIERS[algorithm].verify(signed, self.material, signature)


class KeySet:
    """The usable keys of one JWKS document. Immutable."""

    __slots__ = ("_by_id", "_keys", "_members")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)
        self._members = frozenset(map(_told_apart, self._keys))
        self._by_id: dict[str, Key | None] = {}
        for key in self._keys:
            if key.key_id is not None:
                known = self._by_id.setdefault(key.key_id, key)
                same = known is not None and _told_apart(known) == _told_apart(key)
                self._by_id[key.key_id] = known if same else None

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Key) -> bool:
        return _told_apart(key) in self._members

    def __repr__(self) -> str:
        return f"<KeySet of {len(self._keys)} keys>"

    def named(self, key_id: str) -> Key | None:
        """The one key of that ``kid``."""
        return self._by_id.get(key_id)

    def only(self, algorithm: str) -> Key | None:
        """The one key that fits ``algorithm``, for tokens without a ``kid``; None if there are none or several."""
        fitting = {_told_apart(key): key for key in self._keys if algorithm in key.algorithms}
        return next(iter(fitting.values())) if len(fitting) == 1 else None


def _told_apart(key: Key) -> tuple[str, frozenset[str], str | None]:
    """All that a key may be used for."""
    return key.thumbprint, key.algorithms, key.issuer


def parse_keys(document: bytes, algorithms: Collection[str]) -> KeySet:
    """The keys of a JWKS document that fit one of ``algorithms``; others are left out, as RFC 7517 (5) asks for.

    Raises ``ValueError`` if it is not a JWKS document or holds more than ``MAX_KEYS`` keys.
    """
    try:
        content = strict_json(document.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document: it has no list `keys`")  # noqa: TRY004 - what was fetched is wrong
    if len(entries) > MAX_KEYS:
        raise ValueError(f"more than {MAX_KEYS} keys")
    read = (_read_key(entry, algorithms) for entry in entries if isinstance(entry, dict))
    return KeySet(key for key in read if key is not None)


def _read_key(entry: dict[str, Any], algorithms: Collection[str]) -> Key | None:
    members = PUBLIC_MEMBERS.get(str(entry.get("kty")))
    if members is None or not _may_verify(entry) or not all(isinstance(entry.get(name), str) for name in members):
        return None
    named = entry.get("alg")
    fitting = [
        name
        for name in sorted(algorithms)
        if name in FITTING and _fits(entry, name) and (named is None or named == name)
    ]
    if not fitting:
        return None
    public = {name: entry[name] for name in members}
    try:
        material = jwt.PyJWK(public, algorithm=fitting[0]).key
    except (PyJWTError, ValueError, TypeError):
        return None
    if not _strong(material, fitting[0]):
        return None
    return Key(
        key_id=entry.get("kid"),
        algorithms=frozenset(fitting),
        thumbprint=thumbprint(public),
        issuer=entry.get("issuer"),
        material=material,
    )


def _may_verify(entry: dict[str, Any]) -> bool:
    """A public signature key; one that carries its private part is nobody's secret any more.

    ``jwt-svid`` is what SPIFFE calls signature keys of JWTs.
    """
    operations = entry.get("key_ops", ["verify"])
    key_id = entry.get("kid")
    return (
        entry.get("use", "sig") in ("sig", "jwt-svid")
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in entry
        and (key_id is None or (isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID))
        and isinstance(entry.get("issuer", ""), str)
    )


def _fits(entry: dict[str, Any], algorithm: str) -> bool:
    kind, curves = FITTING[algorithm]
    return bool(entry["kty"] == kind and (kind in {"RSA", "oct"} or entry["crv"] in curves))


def _strong(material: Any, algorithm: str) -> bool:
    """Long enough to mean something, short enough not to be a way to burn the gateway's CPU."""
    if _VERIFIERS[algorithm].check_key_length(material) is not None:
        return False
    if algorithm.startswith(("RS", "PS")):
        return bool(material.key_size <= MAX_RSA_BITS and material.public_numbers().e < 2**32)
    return True
