"""Law: the token goes to the gateway that was named, by verified TLS where its address says so; errors say what failed."""

import asyncio
import ssl
from pathlib import Path

import pytest

from gatehold.agent_proxy.gateway import Gateway, Unreached, gateway_at
from gatehold.demo.serving import ServerCertificate, make_certificate
from tests.e2e.harness import free_port


@pytest.mark.parametrize(
    ("url", "told"),
    [("http://gateway:8080", "gateway:8080"), ("http://gateway/", "gateway:80"), ("https://[::1]", "[::1]:443")],
)
def test_addresses(url: str, told: str) -> None:
    gateway = gateway_at(url, None)
    assert (str(gateway), gateway.tls is not None) == (told, url.startswith("https"))


@pytest.mark.parametrize("url", ["gateway:8080", "socks5://gateway", "http://", "http://agent:token@gateway", "http://gateway/path", "http://gateway?x", "http://gateway:99999", "http://gateway:x"])  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    """Nothing of it is repeated: people put tokens there."""
    with pytest.raises(ValueError, match=r"address|[Pp]ort") as raised:
        gateway_at(url, None)
    assert "token@" not in str(raised.value)


def test_a_ca(tmp_path: Path) -> None:
    """Has to be one, and to be of use."""
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ValueError, match="holds no certificate"):
        gateway_at("https://gateway", tmp_path / "empty.pem")
    with pytest.raises(FileNotFoundError):
        gateway_at("https://gateway", tmp_path / "gone.pem")
    with pytest.raises(ValueError, match="begins with https"):
        gateway_at("http://gateway", tmp_path / "gone.pem")


async def _tls_server(certificate: ServerCertificate) -> asyncio.Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)


async def test_tls_is_verified(tmp_path: Path) -> None:
    """By the CA that was named, and for the host that was named."""
    own, stranger = (make_certificate(tmp_path / name, ("localhost",)) for name in ("own", "stranger"))
    async with await _tls_server(own) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await gateway_at(f"https://localhost:{port}", own.authority).dial(1024)
        assert await reader.read() == b""
        writer.close()
        for url, ca in ((f"https://localhost:{port}", stranger.authority), (f"https://127.0.0.1:{port}", own.authority), (f"https://localhost:{port}", None)):  # fmt: skip
            with pytest.raises(Unreached, match="is not trusted"):
                await gateway_at(url, ca).dial(1024)


async def test_a_gateway_that_is_not_there() -> None:
    """In words that say which, and why."""
    port = free_port()
    with pytest.raises(Unreached, match=f"127.0.0.1:{port} cannot be reached"):
        await Gateway(host="127.0.0.1", port=port).dial(1024)
    with pytest.raises(Unreached, match="cannot be reached"):
        await Gateway(host="gateway.invalid", port=1).dial(1024)


async def test_a_gateway_without_tls(tmp_path: Path) -> None:
    """The token is not sent to it."""
    async with await asyncio.start_server(lambda _, writer: (writer.write(b"HTTP/1.1 400\r\n\r\n"), writer.close())[0], "127.0.0.1", 0) as server:  # fmt: skip
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreached, match="no TLS with"):
            await gateway_at(f"https://127.0.0.1:{port}", None).dial(1024)
