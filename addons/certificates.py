"""TLS on both legs: the gateway's own certificates towards agents, verified targets behind it.

Towards agents a leaf certificate is made for the name they asked for, signed by the gateway's CA
(``gatehold.authority``) on a key that is not the CA's. Towards a target the name that is sent and verified is the
registered host, never what an agent put into its own handshake, and verification cannot be switched off.
"""

import ipaddress
import ssl
from pathlib import Path
from typing import Any, cast

import certifi
from mitmproxy import certs, connection, ctx, tls
from mitmproxy.addons import tlsconfig
from mitmproxy.net import tls as net_tls
from mitmproxy.proxy import context
from OpenSSL import SSL

from addons.runtime import Runtime
from gatehold.registry import is_address


class Certificates(tlsconfig.TlsConfig):
    """mitmproxy's TLS addon with our certificates and per-target trust."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.runtime = runtime
        self.certstore = cast("certs.CertStore", _NoStore())

    def running(self) -> None:
        """Nothing to do: the stock addon would make a CA of its own here."""

    def request(self, flow: Any) -> None:
        """Nothing to do: the stock addon would serve a revocation list here, without asking any rule."""

    def configure(self, updated: Any) -> None:
        """Check the options, but make no CA."""
        super().configure(set(updated) - {"certs", "confdir", "key_size", "cert_passphrase"})  # type: ignore[no-untyped-call]

    def get_cert(self, conn_context: context.Context) -> certs.CertStoreEntry:
        """A certificate for the name that the client asked for."""
        leaf = self.runtime.gateway.leaves.certificate_for(self._names(conn_context))
        return certs.CertStoreEntry(
            cert=certs.Cert(leaf.certificate),
            privatekey=cast("Any", leaf.key),  # annotated as RSA; pyOpenSSL takes what cryptography makes
            chain_file=None,
            chain_certs=[],
        )

    def _names(self, conn_context: context.Context) -> tuple[str, ...]:
        """Raises ValueError for a name that none is made for."""
        client, server = conn_context.client, conn_context.server
        opened = self.runtime.connections.find(client)
        if opened is not None and opened.is_before_tunnel:
            return opened.listener.certified_for(client.sni, str(client.sockname[0]))
        names = [client.sni or str(client.sockname[0])]
        if server.address:
            names.append(server.address[0])
        return tuple(dict.fromkeys(name.lower() for name in names))

    def tls_start_client(self, tls_start: tls.TlsData) -> None:
        """HTTP/1.1 alone in TLS with the proxy itself: there is no CONNECT over HTTP/2 here. Inside, h2 is offered."""
        super().tls_start_client(tls_start)
        opened = self.runtime.connections.find(tls_start.context.client)
        if opened is None or not opened.is_before_tunnel or tls_start.ssl_conn is None:
            return
        # The stock addon means to do this, and looks for a stack of layers that 12.2 does not have.
        only = tlsconfig.AppData(client_alpn=b"http/1.1", server_alpn=None, http2=False)
        tls_start.ssl_conn.set_app_data(only)

    def tls_start_server(self, tls_start: tls.TlsData) -> None:
        """Verify a target against its own trust and its registered name."""
        server = tls_start.conn
        if not isinstance(server, connection.Server) or server.address is None:
            raise TypeError("not a connection to a target")
        target = self.runtime.gateway.registry.find(*server.address[:2])
        if target is None:
            raise LookupError("a TLS handshake with a host that is not registered")
        server.sni = server.address[0].lower()
        server.alpn_offers = server.alpn_offers or _offers(tls_start.context.client)
        trust = target.spec.tls.ca if target.spec.tls else None
        tls_start.ssl_conn = SSL.Connection(_context(trust, self.runtime.gateway.client_certificate(target.name)))
        _verify(tls_start.ssl_conn, server.sni)
        if server.alpn_offers:
            tls_start.ssl_conn.set_alpn_protos(list(server.alpn_offers))
        tls_start.ssl_conn.set_connect_state()


class _NoStore:
    """Stands where the stock addon keeps its certificate store."""

    dhparams = None


def _offers(client: connection.Client) -> tuple[bytes, ...]:
    """Speak the client's protocol upstream as well, so that streams map one to one."""
    return (b"h2", b"http/1.1") if client.alpn == b"h2" else (b"http/1.1",)


def _context(trust: Path | None, client_certificate: Path | None) -> SSL.Context:
    """A cached TLS context (the cache is mitmproxy's own, by these very arguments)."""
    system_file, system_directory = _system_trust()
    return net_tls.create_proxy_server_context(
        method=net_tls.Method.TLS_CLIENT_METHOD,
        min_version=net_tls.Version[ctx.options.tls_version_server_min],
        max_version=net_tls.Version[ctx.options.tls_version_server_max],
        cipher_list=None,
        ecdh_curve=None,
        verify=net_tls.Verify.VERIFY_PEER,
        ca_path=None if trust else system_directory,
        ca_pemfile=str(trust) if trust else system_file,
        client_cert=str(client_certificate) if client_certificate else None,
        legacy_server_connect=False,
    )


def _system_trust() -> tuple[str | None, str | None]:
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return paths.cafile, paths.capath
    return certifi.where(), None


def _verify(ssl_conn: SSL.Connection, name: str) -> None:
    """Send and verify one name."""
    if is_address(name):
        _set_ip(ssl_conn, ipaddress.ip_address(name).packed)
        return
    encoded = name.encode("idna")
    ssl_conn.set_tlsext_host_name(encoded)
    _set_host(ssl_conn, encoded)


def _set_host(ssl_conn: SSL.Connection, name: bytes) -> None:
    parameters = _OPENSSL.SSL_get0_param(ssl_conn._ssl)  # noqa: SLF001 - pyOpenSSL has no public call for this
    _OPENSSL.X509_VERIFY_PARAM_set_hostflags(parameters, tlsconfig.DEFAULT_HOSTFLAGS)
    if _OPENSSL.X509_VERIFY_PARAM_set1_host(parameters, name, len(name)) != 1:
        raise ValueError("the target's name cannot be verified")


def _set_ip(ssl_conn: SSL.Connection, packed: bytes) -> None:
    parameters = _OPENSSL.SSL_get0_param(ssl_conn._ssl)  # noqa: SLF001
    if _OPENSSL.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed)) != 1:
        raise ValueError("the target's address cannot be verified")


_OPENSSL: Any = vars(SSL)["_lib"]
