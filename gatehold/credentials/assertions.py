"""JWTs that the gateway signs with a key of its own to say who it is (RFC 7523; GitHub Apps)."""

from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.sources import Files

type SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_MIN_RSA_BITS = 2048


def signed(file: Path, claims: Mapping[str, object], *, key_id: str | None = None) -> Secret:
    """The claims as a compact JWS by the private key in ``file``, which is read now.

    Raises ``CredentialUnavailable``, naming the file.
    """
    key, algorithm = _signing_key(file)
    headers = {"kid": key_id} if key_id else None
    return Secret(jwt.encode(dict(claims), key, algorithm=algorithm, headers=headers))


def _signing_key(file: Path) -> tuple[SigningKey, str]:
    pem = Files().read(file)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise CredentialUnavailable(f"{file} is no unencrypted private key in PEM") from None
    match key:
        case rsa.RSAPrivateKey() if key.key_size >= _MIN_RSA_BITS:
            return key, "RS256"
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return key, _CURVES[key.curve.name]
        case ed25519.Ed25519PrivateKey():
            return key, "EdDSA"
    raise CredentialUnavailable(f"{file}: keys are RSA of {_MIN_RSA_BITS} bits or more, P-256, P-384, P-521 or Ed25519")
