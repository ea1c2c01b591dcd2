"""Law: clients trust what the system trusts and the gateway, in files that are whole and that everybody may read."""

import os
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from gatehold.agent_environment.trust import MAX_BUNDLE, TRUST_STORE_PASSWORD, TrustPaths, Untrusted, joined, write
from gatehold.authority import create

OWN, OTHER = (create(now=datetime.now(UTC)).pem for _ in range(2))


def bundle(tmp_path: Path, content: bytes = b"# Other\n" + OTHER) -> Path:
    path = tmp_path / "system.pem"
    path.write_bytes(content)
    return path


def test_both_are_in_the_bundle_once(tmp_path: Path) -> None:
    """Also where the system's holds the gateway's already, and without what stands around certificates."""
    trust = joined(OWN, bundle(tmp_path, b"# a comment\r\n" + OTHER + OWN + OTHER + b"trailing"))
    assert trust.authority == OWN
    assert trust.bundle == OTHER + OWN
    context = ssl.create_default_context(cadata=trust.bundle.decode())
    assert len(context.get_ca_certs()) == 2


def test_the_system_s_own_bundle_is_found() -> None:
    """Or certifi's, where there is none."""
    assert joined(OWN).bundle.count(b"BEGIN CERTIFICATE") > 50


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])  # fmt: skip
def test_a_bundle_without_certificates(tmp_path: Path, content: bytes) -> None:
    """Is a mistake, not an empty trust; nothing of it is printed."""
    with pytest.raises(Untrusted, match="holds no certificate"):
        joined(OWN, bundle(tmp_path, content))


def test_a_bundle_that_is_no_bundle(tmp_path: Path) -> None:
    """Not there, or endless."""
    with pytest.raises(Untrusted, match="No such file"):
        joined(OWN, tmp_path / "gone.pem")
    with pytest.raises(Untrusted, match="larger than"):
        joined(OWN, bundle(tmp_path, b"x" * (MAX_BUNDLE + 1)))


def test_java_gets_the_same_certificates(tmp_path: Path) -> None:
    """A certificate that cannot be read stays in the bundle and out of the store."""
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    trust = joined(OWN, bundle(tmp_path, broken + OTHER))
    assert broken in trust.bundle
    store = load_pkcs12(trust.trust_store(), TRUST_STORE_PASSWORD.encode())
    assert {each.certificate for each in store.additional_certs} == {
        x509.load_pem_x509_certificate(pem) for pem in (OWN, OTHER)
    }
    assert store.key is None


def test_files_are_public_and_whole(tmp_path: Path) -> None:
    """Whatever the umask; nothing else lies beside them."""
    before = os.umask(0o077)
    try:
        write(joined(OWN, bundle(tmp_path)), tmp_path / "agents")
    finally:
        os.umask(before)
    files = sorted((tmp_path / "agents").iterdir())
    assert [file.name for file in files] == ["ca-bundle.pem", "ca.pem", "truststore.p12"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o644}
    paths = TrustPaths(directory=str(tmp_path / "agents"))
    assert Path(paths.authority).read_bytes() == OWN
    assert Path(paths.bundle).read_bytes() == OTHER + OWN
    assert load_pkcs12(Path(paths.trust_store).read_bytes(), TRUST_STORE_PASSWORD.encode())


def test_files_change_only_with_their_content(tmp_path: Path) -> None:
    """A process that has them open is not disturbed; a new CA reaches all three."""
    trust = joined(OWN, bundle(tmp_path))
    write(trust, tmp_path / "agents")
    before = {file: file.stat().st_ino for file in (tmp_path / "agents").iterdir()}
    write(trust, tmp_path / "agents")
    assert {file: file.stat().st_ino for file in (tmp_path / "agents").iterdir()} == before
    write(joined(create(now=datetime.now(UTC)).pem, bundle(tmp_path)), tmp_path / "agents")
    after = {file: file.stat().st_ino for file in (tmp_path / "agents").iterdir()}
    assert after.keys() == before.keys()
    assert not set(after.items()) & set(before.items())
