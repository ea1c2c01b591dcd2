"""Throw-away certificates."""

import stat
from pathlib import Path

from cryptography import x509

from gatehold.demo.certificates import make_certificate


def test_certificate_names_what_it_is_for(tmp_path: Path) -> None:
    """Names are DNS names, addresses are IP addresses, the authority signed it and may sign no authorities."""
    files = make_certificate(tmp_path, ("api.demo.test", "127.0.0.1", "::1"))
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    server = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["api.demo.test"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    server.verify_directly_issued_by(authority)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_key_is_private(tmp_path: Path) -> None:
    """Only the owner may read the key."""
    files = make_certificate(tmp_path)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert files.pair == (files.certificate, files.key)
