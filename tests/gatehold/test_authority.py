"""The gateway's CA and the certificates it signs."""

import ssl
import stat
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given
from hypothesis import strategies as st

from gatehold.authority import LEAF_LIFETIME, LEAF_MARGIN, Authority, Leaf, LeafIssuer, create, load_or_create
from policy.errors import ConfigurationError

AUTHORITY = create(now=datetime.now(UTC))
ISSUER = LeafIssuer(AUTHORITY)


def names_of(certificate: x509.Certificate) -> list[str]:
    value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in value]


def shake_hands(authority: Authority, leaf: Leaf, server_name: str, directory: Path) -> None:
    """A TLS handshake in memory by OpenSSL, with Python's default (strict) verification."""
    pem = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "leaf.pem").write_bytes(leaf.pem + pem)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(directory / "leaf.pem")
    client_context = ssl.create_default_context(cadata=authority.pem.decode())
    assert client_context.verify_flags & ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(down, up, server_hostname=server_name)
    server = server_context.wrap_bio(up, down, server_side=True)
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("name", ["crm.corp.example", "localhost", "127.0.0.1", "::1", "a_b.example"])
def test_clients_accept_what_it_signs(name: str, tmp_path: Path) -> None:
    """Names and addresses, in a real handshake with strict verification."""
    shake_hands(AUTHORITY, ISSUER.certificate_for((name, "other.example")), name, tmp_path)


def test_clients_refuse_other_names(tmp_path: Path) -> None:
    """A certificate is for its names only."""
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shake_hands(AUTHORITY, ISSUER.certificate_for(("crm.corp.example",)), "git.corp.example", tmp_path)


@pytest.mark.parametrize(
    ("permitted", "name", "accepted"),
    [
        (["corp.example"], "crm.corp.example", True),
        (["corp.example"], "crm.evil.example", False),
        (["corp.example"], "10.0.0.7", False),
        (["corp.example", "10.0.0.0/8"], "10.0.0.7", True),
        (["10.0.0.0/8"], "11.0.0.7", False),
        (["10.0.0.0/8"], "crm.corp.example", False),
    ],
)
def test_name_constraints_hold(permitted: list[str], name: str, *, accepted: bool, tmp_path: Path) -> None:
    """What is not permitted is refused by clients, even if the CA's key were stolen and signed it."""
    authority = create(name_constraints=permitted, now=datetime.now(UTC))
    leaf = LeafIssuer(authority).certificate_for((name,))
    if accepted:
        shake_hands(authority, leaf, name, tmp_path)
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match=r"(permitted|excluded) subtree"):
            shake_hands(authority, leaf, name, tmp_path)


def test_what_the_ca_may_do() -> None:
    """Two years, no CA below it, certificate signing only, for servers only."""
    certificate = AUTHORITY.certificate
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert certificate.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=730)
    assert certificate.issuer == certificate.subject


def test_what_a_leaf_is() -> None:
    """A key of its own, a short life inside the CA's, no CA, and its issuer named."""
    leaf = ISSUER.certificate_for(("a.example", "10.0.0.1", "fd00::1"))
    extensions = leaf.certificate.extensions
    assert leaf.key.public_key() == leaf.certificate.public_key() != AUTHORITY.certificate.public_key()
    assert leaf.key.private_numbers() != AUTHORITY.key.private_numbers()
    assert names_of(leaf.certificate) == ["a.example", "10.0.0.1", "fd00::1"]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    identifier = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert (
        identifier == AUTHORITY.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )
    assert leaf.certificate.not_valid_after_utc <= datetime.now(UTC) + LEAF_LIFETIME
    leaf.certificate.verify_directly_issued_by(AUTHORITY.certificate)


def test_leaves_are_made_once_and_again_before_they_run_out() -> None:
    """The same object while it has some days left; a new one after that; never beyond the CA's own end."""
    now = [datetime.now(UTC)]
    issuer = LeafIssuer(AUTHORITY, clock=lambda: now[0])
    first = issuer.certificate_for(("a.example",))
    now[0] += LEAF_LIFETIME - LEAF_MARGIN - timedelta(minutes=1)
    assert issuer.certificate_for(("a.example",)) is first
    now[0] += timedelta(minutes=2)
    second = issuer.certificate_for(("a.example",))
    assert second.certificate.serial_number != first.certificate.serial_number
    now[0] = AUTHORITY.certificate.not_valid_after_utc - timedelta(days=1)
    assert issuer.certificate_for(("a.example",)).certificate.not_valid_after_utc <= (
        AUTHORITY.certificate.not_valid_after_utc
    )


def test_the_cache_of_leaves_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that invents names does not fill the memory."""
    monkeypatch.setattr("gatehold.authority.CACHE_SIZE", 2)
    issuer = LeafIssuer(AUTHORITY)
    first = issuer.certificate_for(("a.example",))
    for name in ("b.example", "c.example"):
        issuer.certificate_for((name,))
    assert issuer.certificate_for(("a.example",)) is not first


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "a..b", ".a", "a.", "-a.example", "a-.example", "*.example", "a b", "a\x00b", "a\nb", "A.example",
        "bücher.example", "a/b", "a:443", "[::1]", "fe80::1%eth0", "1.2.3", "1.2.3.4.5", "a.0x7f", "256.1.1.1",
        "x" * 64 + ".example", ".".join(["x" * 60] * 5), "a@b", "a,b", "..", "xn--\u00fc",
    ],
)  # fmt: skip
def test_names_that_cannot_be_certified(name: str) -> None:
    """They raise ``ValueError`` and leave nothing in the cache."""
    for _ in range(2):
        with pytest.raises(ValueError, match=r"not a DNS name|label|Name"):
            ISSUER.certificate_for((name,))


@pytest.mark.parametrize("names", [(), tuple(f"h{number}.example" for number in range(101))])
def test_no_names_and_too_many_names(names: tuple[str, ...]) -> None:
    """Neither makes a certificate."""
    with pytest.raises(ValueError, match="one name at least"):
        ISSUER.certificate_for(names)


@given(st.text(max_size=80))
@example("a" * 63 + "." + "b" * 63)
@example("1.1.1.1")
def test_any_name_is_certified_as_it_is_or_refused(name: str) -> None:
    """What is signed is what was asked for, never a repaired version of it."""
    try:
        leaf = LeafIssuer(AUTHORITY).certificate_for((name,))
    except ValueError:
        return
    (signed,) = names_of(leaf.certificate)
    assert signed == name or ip_address(signed) == ip_address(name)


def test_it_is_made_once(tmp_path: Path) -> None:
    """The second time it is read; key and directory are for their owner only."""
    data = tmp_path / "deep/data"
    first = load_or_create(data)
    second = load_or_create(data)
    assert first.certificate == second.certificate
    assert stat.S_IMODE((data / "ca/ca-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "ca").stat().st_mode) == 0o700
    assert sorted(file.name for file in (data / "ca").iterdir()) == ["ca-key.pem", "ca.pem"]
    assert (data / "ca/ca.pem").read_bytes() == first.pem


def test_many_at_once_get_the_same(tmp_path: Path) -> None:
    """Replicas that start together on one volume make one CA."""
    made: list[Authority] = []
    crowd = [threading.Thread(target=lambda: made.append(load_or_create(tmp_path))) for _ in range(8)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert len({authority.pem for authority in made}) == 1
    assert len(made) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == [".ca.lock", "ca"]


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    """One that an operator or a volume made beforehand."""
    (tmp_path / "ca").mkdir()
    assert load_or_create(tmp_path).certificate


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No directory with half a CA, no stray key."""

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        load_or_create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".ca.lock"]


def damage(kind: str, home: Path) -> None:
    """Make the CA in ``home`` unusable."""
    other = create(now=datetime.now(UTC))
    match kind:
        case "no key":
            (home / "ca-key.pem").unlink()
        case "no certificate":
            (home / "ca.pem").unlink()
        case "another key":
            pem = other.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (home / "ca-key.pem").write_bytes(pem)
        case "another kind of key":
            key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
            )
            (home / "ca-key.pem").write_bytes(key)
        case "text for a certificate":
            (home / "ca.pem").write_text("planted-secret")
        case "text for a key":
            (home / "ca-key.pem").write_text("planted-secret")
        case "a leaf for a certificate":
            leaf = LeafIssuer(other).certificate_for(("a.example",))
            (home / "ca.pem").write_bytes(leaf.pem)
            key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (home / "ca-key.pem").write_bytes(key)


@pytest.mark.parametrize(
    "kind",
    [
        "no key",
        "no certificate",
        "another key",
        "another kind of key",
        "text for a certificate",
        "text for a key",
        "a leaf for a certificate",
    ],
)
def test_what_cannot_be_used_is_said_and_left_alone(kind: str, tmp_path: Path) -> None:
    """Agents trust the old one: it is never replaced behind an operator's back, and no content is shown."""
    load_or_create(tmp_path)
    damage(kind, tmp_path / "ca")
    before = contents(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match=r"ca(-key)?\.pem:1: ") as error:
        load_or_create(tmp_path)
    assert "planted" not in str(error.value)
    assert contents(tmp_path.rglob("*")) == before


def contents(paths: Iterable[Path]) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def test_an_expired_ca_is_not_used(tmp_path: Path) -> None:
    """It says how to get a new one."""
    early = datetime.now(UTC) - timedelta(days=731)
    load_or_create(tmp_path, clock=lambda: early)
    with pytest.raises(ConfigurationError, match="has expired; remove"):
        load_or_create(tmp_path)


@pytest.mark.parametrize("constraint", ["", "*.corp.example", ".corp.example", "https://corp.example", "10.0.0.1/8"])
def test_bad_constraints_make_no_ca(constraint: str, tmp_path: Path) -> None:
    """Refused before anything is written."""
    with pytest.raises(ValueError, match="not a DNS name"):
        load_or_create(tmp_path, name_constraints=[constraint])
    assert not (tmp_path / "ca").exists()


def test_nothing_shows_the_key() -> None:
    """Repr of the CA and of a leaf tell no key."""
    assert "key" not in repr(AUTHORITY)
    assert "key" not in repr(ISSUER.certificate_for(("a.example",)))
