"""Law: agents get a certificate of ours for the name they asked for; a target is verified by its registered name, always."""

import contextlib
from pathlib import Path

import pytest
from cryptography import x509
from mitmproxy import connection, tls
from mitmproxy.proxy import context, mode_specs
from mitmproxy.test import taddons
from OpenSSL import SSL

from addons.certificates import Certificates
from addons.runtime import Runtime
from gatehold.demo.serving import ServerCertificate, make_certificate
from tests.addons.support import make_client


@pytest.fixture
async def addon(runtime: Runtime) -> Certificates:
    """Loaded, so that its options are there."""
    addon = Certificates(runtime)
    taddons.context(addon)
    return addon


def _context(sni: str | None, address: tuple[str, int] | None = None, *, alpn: bytes = b"http/1.1") -> context.Context:
    client = make_client(tls=True, alpn=alpn)
    client.sni = sni
    made = context.Context(client, None)  # type: ignore[arg-type]
    made.server = connection.Server(address=address)
    return made


@pytest.mark.parametrize(
    ("sni", "address", "names"),
    [("CRM.corp.example", ("crm.corp.example", 443), ["crm.corp.example"]), (None, ("127.0.0.1", 443), ["127.0.0.1"]),
     ("crm-gateway.internal", ("crm.corp.example", 443), ["crm-gateway.internal", "crm.corp.example"]),
     ("crm.corp.example", None, ["crm.corp.example"]), (None, None, ["127.0.0.1"])],
)  # fmt: skip
def test_agents_get_the_name_they_asked_for(
    addon: Certificates, sni: str | None, address: tuple[str, int] | None, names: list[str]
) -> None:
    """Signed by the gateway's CA, on a key that is not the CA's."""
    entry = addon.get_cert(_context(sni, address))
    leaf = entry.cert.to_cryptography()
    told = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in told] == names
    authority = x509.load_pem_x509_certificate(
        (addon.runtime.gateway.configuration.data_dir / "ca" / "ca.pem").read_bytes()
    )
    leaf.verify_directly_issued_by(authority)
    assert entry.privatekey.public_key() == leaf.public_key() != authority.public_key()
    assert entry.chain_file is None


@pytest.mark.parametrize("sni", ["*.corp.example", "a b", "", "ünï.example", "a" * 300, "a\x00.example"])
def test_a_name_that_is_none_gets_no_certificate(addon: Certificates, sni: str) -> None:
    """An exception, which dispatch turns into no handshake; an empty one counts as none."""
    if not sni:
        assert addon.get_cert(_context(sni, ("127.0.0.1", 443)))
        return
    with pytest.raises(ValueError, match="not a DNS name"):
        addon.get_cert(_context(sni, ("crm.corp.example", 443)))


def test_the_stock_addon_makes_no_ca_and_serves_nothing(addon: Certificates, tmp_path: Path) -> None:
    """Its own would live ten years, and its revocation list would be an answer without a rule."""
    addon.running()
    addon.configure({"confdir", "certs", "key_size", "cert_passphrase"})
    assert addon.request(None) is None  # type: ignore[func-returns-value]
    assert not list(tmp_path.rglob("mitmproxy-ca*"))


def _handshake(client: SSL.Connection, server: SSL.Connection) -> None:
    """Both to the end; raises SSL.Error where one of them refuses."""
    waiting = {client, server}
    for _ in range(20):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
                waiting.discard(one)
            except SSL.WantReadError:
                pass
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
        if not waiting:
            return
    raise AssertionError("the handshake does not end")


def _upstream(certificate: ServerCertificate) -> SSL.Connection:
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.use_certificate_file(str(certificate.certificate))
    made.use_privatekey_file(str(certificate.key))
    made.set_alpn_select_callback(lambda _connection, offered: offered[0])
    server = SSL.Connection(made, None)
    server.set_accept_state()
    return server


def _started(
    addon: Certificates, host: str, *, sni: str | None = "evil.example", alpn: bytes = b"http/1.1"
) -> tls.TlsData:
    made = _context(sni, (host, 443), alpn=alpn)
    made.server.sni = sni
    data = tls.TlsData(made.server, made)
    addon.tls_start_server(data)
    assert data.ssl_conn is not None
    return data


@pytest.mark.parametrize("host", ["crm.corp.example", "127.0.0.1"])
@pytest.mark.parametrize(("alpn", "spoken"), [(b"http/1.1", b"http/1.1"), (b"h2", b"h2"), (b"", b"http/1.1")])
def test_a_target_is_verified(
    addon: Certificates, upstream: ServerCertificate, host: str, alpn: bytes, spoken: bytes
) -> None:
    """By its registered name or address, whatever the agent put into its own handshake; in the agent's protocol."""
    data, server = _started(addon, host, alpn=alpn), _upstream(upstream)
    assert data.ssl_conn is not None
    _handshake(data.ssl_conn, server)
    assert server.get_servername() == (None if host == "127.0.0.1" else host.encode())
    assert data.ssl_conn.get_alpn_proto_negotiated() == spoken


@pytest.mark.parametrize("host", ["crm.corp.example", "127.0.0.1"])
@pytest.mark.parametrize("names", [("evil.example", "192.0.2.1"), ("*.example", "127.0.0.2"), ("x.crm.corp.example", "::1"), ("c*.corp.example", "192.0.2.1")])  # fmt: skip
def test_another_name_is_refused(addon: Certificates, tmp_path: Path, host: str, names: tuple[str, ...]) -> None:
    """Also where the target's own trust signed it, and where the common name is right but no name beside it."""
    other = make_certificate(tmp_path / "upstream", names)
    with pytest.raises(SSL.Error):
        _handshake(_ssl(_started(addon, host)), _upstream(other))


def _ssl(data: tls.TlsData) -> SSL.Connection:
    assert isinstance(data.ssl_conn, SSL.Connection)
    return data.ssl_conn


def test_a_stranger_is_refused(addon: Certificates, tmp_path: Path) -> None:
    """The right name, signed by an authority that the target does not trust."""
    stranger = make_certificate(tmp_path / "stranger", ("crm.corp.example",))
    with pytest.raises(SSL.Error):
        _handshake(_ssl(_started(addon, "crm.corp.example")), _upstream(stranger))


def test_trust_belongs_to_one_target(addon: Certificates, tmp_path: Path) -> None:
    """A target without ``tls.ca`` is verified by the system's store, not by another target's."""
    authority_of_crm = make_certificate(tmp_path / "upstream", ("kubernetes.corp.example",))
    made = _context("kubernetes.corp.example", ("kubernetes.corp.example", 6443))
    data = tls.TlsData(made.server, made)
    addon.tls_start_server(data)
    with pytest.raises(SSL.Error):
        _handshake(_ssl(data), _upstream(authority_of_crm))


def test_no_handshake_with_what_is_not_registered(addon: Certificates) -> None:
    """An exception, which dispatch turns into no handshake."""
    made = _context("other.example", ("other.example", 443))
    with pytest.raises(LookupError):
        addon.tls_start_server(tls.TlsData(made.server, made))
    with pytest.raises(TypeError):
        addon.tls_start_server(tls.TlsData(made.client, made))


def _opened(addon: Certificates, made: context.Context, *, tunnel: bool) -> None:
    made.client.proxy_mode = mode_specs.ProxyMode.parse("regular@127.0.0.1:18080")
    opened = addon.runtime.connections.add(made.client)
    opened.connect = ("crm.corp.example", 443) if tunnel else None


def _agent(*protocols: bytes) -> SSL.Connection:
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    client.set_alpn_protos(list(protocols))
    client.set_connect_state()
    return client


def _names(client: SSL.Connection) -> list[str]:
    certificate = client.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in told]


@pytest.mark.parametrize(
    ("tunnel", "offered", "spoken"),
    [
        (False, (b"h2", b"http/1.1"), b"http/1.1"),
        (False, (b"http/1.1", b"h2"), b"http/1.1"),
        (False, (b"h2",), b""),
        (True, (b"h2", b"http/1.1"), b"h2"),
    ],
)
def test_http_2_is_offered_inside_only(
    addon: Certificates, tunnel: bool, offered: tuple[bytes, ...], spoken: bytes
) -> None:
    """Go, and so kubectl, would speak it with the proxy itself, where there is no CONNECT over it."""
    made = _context("localhost", alpn=b"")
    made.client.alpn = None
    _opened(addon, made, tunnel=tunnel)
    data = tls.TlsData(made.client, made)
    addon.tls_start_client(data)
    agent = _agent(*offered)
    _handshake(agent, _ssl(data))
    assert agent.get_alpn_proto_negotiated() == spoken


@pytest.mark.parametrize(
    ("sni", "told"), [("localhost", ["localhost"]), (None, ["127.0.0.1"]), ("127.0.0.1", ["127.0.0.1"])]
)
def test_the_proxy_s_own_certificate(addon: Certificates, sni: str | None, told: list[str]) -> None:
    """For the listener, whatever is asked for inside later."""
    made = _context(sni, alpn=b"")
    made.client.alpn = None
    _opened(addon, made, tunnel=False)
    data = tls.TlsData(made.client, made)
    addon.tls_start_client(data)
    agent = _agent(b"http/1.1")
    _handshake(agent, _ssl(data))
    assert _names(agent) == told


def test_the_proxy_is_nobody_else(addon: Certificates) -> None:
    """No handshake under a target's name, or any other, before a tunnel leads there."""
    made = _context("crm.corp.example")
    _opened(addon, made, tunnel=False)
    data = tls.TlsData(made.client, made)
    with pytest.raises(ValueError, match="does not name this proxy"):
        addon.tls_start_client(data)
    assert data.ssl_conn is None
