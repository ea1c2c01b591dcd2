"""Keys of the embedded issuer: one Ed25519 pair, its public half as a JWKS document, its private half as PKCS 8."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gatehold.identity.jwk import thumbprint

PRIVATE_FILE = "private.pem"
PUBLIC_FILE = "jwks.json"


def keygen(out: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Write a new pair into the directory ``out``: ``jwks.json`` and ``private.pem`` (readable by its owner only).

    Raises ``FileExistsError`` if either is there and not ``force``: a private key that is gone cannot be had again.
    """
    public_file, private_file = out / PUBLIC_FILE, out / PRIVATE_FILE
    for file in (private_file, public_file):
        if file.exists() and not force:
            raise FileExistsError(f"{file} exists; a key is never overwritten unless that is asked for")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = Ed25519PrivateKey.generate()
    document = json.dumps({"keys": [public_jwk(private.public_key())]}, indent=2) + "\n"
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(private_file, pem, mode=0o600)
    _write(public_file, document.encode(), mode=0o644)
    return public_file, private_file


def public_jwk(key: Ed25519PublicKey) -> dict[str, Any]:
    """The key as a JWK (RFC 8037); its ``kid`` is its RFC 7638 thumbprint."""
    point = base64.urlsafe_b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": point}
    return {**jwk, "kid": thumbprint(jwk), "alg": "EdDSA", "use": "sig"}


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """All of it or nothing, with its mode from the first moment."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
