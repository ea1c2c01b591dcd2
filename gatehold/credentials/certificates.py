"""Client certificates in the form in which they are used: one PEM file with certificate and key, for its owner only.

The file's name changes with the certificate, since TLS contexts are cached by path; the file before it stays, for
connections that are being made.
"""

import hashlib
import os
import re
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatehold.config.credentials import ClientCertificateSpec
from gatehold.config.values import CredentialUnavailable, Secret

_KEPT = 2
_MAX_PEM = 256 * 1024


def store(directory: Path, owner: str, certificate: str, key: Secret) -> tuple[Path, float]:
    """Write the pair under ``directory``; gives the file and the Unix time at which the certificate ends.

    Raises ``CredentialUnavailable`` if the two do not belong together or cannot be written.
    """
    ends = _checked(certificate, key)
    safe = re.sub(r"[^a-z0-9.-]", "_", owner.lower())
    digest = hashlib.sha256(certificate.encode()).hexdigest()[:16]
    file = directory / f"client-{safe}-{digest}.pem"
    content = f"{certificate.strip()}\n{key.reveal().strip()}\n".encode()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(file, content)
        _forget_old(directory, f"client-{safe}-" + "[0-9a-f]" * 16 + ".pem")
    except OSError as error:
        raise CredentialUnavailable(f"the client certificate cannot be kept in {directory}: {error.strerror}") from None
    return file, ends


def _checked(certificate: str, key: Secret) -> float:
    try:
        first = x509.load_pem_x509_certificates(certificate.encode())[0]
        if load_pem_private_key(key.reveal().encode(), password=None).public_key() != first.public_key():
            raise CredentialUnavailable("the client key is not the key of the client certificate")
    except (ValueError, TypeError):
        raise CredentialUnavailable("the client certificate or its key is not unencrypted PEM") from None
    return first.not_valid_after_utc.timestamp()


def _write(file: Path, content: bytes) -> None:
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    new.replace(file)


def _forget_old(directory: Path, pattern: str) -> None:
    files = sorted(directory.glob(pattern), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files[_KEPT:]:
        file.unlink(missing_ok=True)


def store_pair(directory: Path, owner: str, spec: ClientCertificateSpec) -> tuple[Path, float]:
    """Keep the pair of two PEM files, as ``store`` does. Raises ``CredentialUnavailable``."""
    return store(directory, owner, _read(spec.certificate), Secret(_read(spec.key)))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_PEM + 1)
    except OSError as error:
        raise CredentialUnavailable(f"{path}: {error.strerror}") from None
    if len(content) > _MAX_PEM or not content.isascii():
        raise CredentialUnavailable(f"{path} is no PEM file")
    return content.decode("ascii")
