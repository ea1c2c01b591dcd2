"""Where JWKS documents come from, and from where they do not."""

import asyncio
import gzip
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from gatehold.identity.sources import MAX_DOCUMENT, DiscoverySource, Fetcher, FileSource, SourceError, UrlSource


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(timeout=2.0)
    yield made
    await made.close()


async def test_a_document_is_fetched_as_it_is(fetcher: Fetcher, site: Any) -> None:
    """To the byte, again and again; a closed fetcher opens anew."""
    site.gives("/jwks", b'{"keys": []}')
    source = UrlSource(f"{site.address}/jwks", fetcher)
    assert await source.fetch() == b'{"keys": []}'
    await fetcher.close()
    assert await source.fetch() == b'{"keys": []}'


async def test_redirects_are_not_followed(fetcher: Fetcher, site: Any) -> None:
    """Not even to the same host: the address that is configured is the one that is trusted."""
    site.gives("/jwks", b"", status=302, location="/other")
    site.gives("/other", b'{"keys": []}')
    with pytest.raises(SourceError, match="status 302"):
        await UrlSource(f"{site.address}/jwks", fetcher).fetch()
    assert site.asked == ["/jwks"]


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "without"])
async def test_large_documents_are_refused(fetcher: Fetcher, site: Any, *, told: bool) -> None:
    """At the cap, whether or not the length was announced."""
    headers = {} if told else {"content_length": "", "connection": "close"}
    site.gives("/jwks", b" " * (MAX_DOCUMENT + 1), **headers)
    if not told:
        site.answers["/jwks"] = lambda handler: (
            handler.send_response_only(200),
            handler.end_headers(),
            handler.wfile.write(b" " * (MAX_DOCUMENT + 1)),
            None,
        )[-1]
    with pytest.raises(SourceError, match="larger"):
        await UrlSource(f"{site.address}/jwks", fetcher).fetch()


async def test_compressed_documents_are_refused(fetcher: Fetcher, site: Any) -> None:
    """A small body may unpack into a huge one; it was not asked for."""
    site.gives("/jwks", gzip.compress(b" " * 10**6), content_encoding="gzip")
    with pytest.raises(SourceError, match="compressed"):
        await UrlSource(f"{site.address}/jwks", fetcher).fetch()


async def test_slow_issuers_are_given_up(site: Any) -> None:
    """The whole exchange has one bound; meanwhile the loop goes on."""
    site.hangs("/jwks")
    fetcher = Fetcher(timeout=0.1)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    heart = asyncio.create_task(beat())
    with pytest.raises(SourceError, match=r"no answer within 0\.1 s"):
        await UrlSource(f"{site.address}/jwks", fetcher).fetch()
    heart.cancel()
    await fetcher.close()
    assert beats > 100


async def test_issuers_that_are_down(fetcher: Fetcher) -> None:
    """A refused connection is a failure like any other."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(SourceError, match="ConnectError"):
            await UrlSource(f"http://127.0.0.1:{port}/jwks", fetcher).fetch()


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/jwks",
        "http://127.0.0.1.evil.example/jwks",
        "http://0.0.0.0/jwks",
        "http://[::ffff:127.0.0.1.evil]/jwks",
        "https://user:planted@idp.example/jwks",
        "ftp://127.0.0.1/jwks",
        "file:///etc/passwd",
        "//127.0.0.1/jwks",
        "https://",
        "https://[::1",
        "",
    ],
)
async def test_only_https_is_fetched(fetcher: Fetcher, url: str) -> None:
    """Plain HTTP is for this machine; no userinfo, no other scheme, nothing that only looks like loopback."""
    with pytest.raises(SourceError) as error:
        await UrlSource(url, fetcher).fetch()
    assert "planted" not in str(error.value)


async def test_no_proxy_is_taken_from_the_environment(
    fetcher: Fetcher, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be this very gateway."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.gives("/jwks", b"{}")
    assert await UrlSource(f"{site.address}/jwks", fetcher).fetch() == b"{}"


def metadata(site: Any, **members: Any) -> bytes:
    return json.dumps({"issuer": site.address, "jwks_uri": f"{site.address}/keys", **members}).encode()


async def test_discovery(fetcher: Fetcher, site: Any) -> None:
    """The issuer's metadata leads to its keys."""
    site.gives("/.well-known/openid-configuration", metadata(site))
    site.gives("/keys", b'{"keys": []}')
    assert await DiscoverySource(site.address, fetcher).fetch() == b'{"keys": []}'


async def test_discovery_below_a_path(fetcher: Fetcher, site: Any) -> None:
    """The well-known part is appended to the issuer's path (OpenID Connect Discovery, 4.1)."""
    issuer = f"{site.address}/realms/corp/"
    site.gives("/realms/corp/.well-known/openid-configuration", metadata(site, issuer=issuer))
    site.gives("/keys", b"{}")
    assert await DiscoverySource(issuer, fetcher).fetch() == b"{}"


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": ["https://a"]}, "no jwks_uri"),
        ({"jwks_uri": "http://evil.example/keys"}, "not https"),
        ({"jwks_uri": "http://localhost:1/keys"}, "not https"),
        ({"jwks_uri": "file:///etc/passwd"}, "only https"),
        ({"jwks_uri": "/keys"}, "only https"),
    ],
)
async def test_metadata_that_leads_astray(fetcher: Fetcher, site: Any, members: dict[str, Any], problem: str) -> None:
    """Another issuer's metadata, and addresses that are neither HTTPS nor the issuer's own host, are refused."""
    site.gives("/.well-known/openid-configuration", metadata(site, **members))
    with pytest.raises(SourceError, match=problem):
        await DiscoverySource(site.address, fetcher).fetch()


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff", b'{"issuer":"a","issuer":"b"}'])
async def test_metadata_that_is_none(fetcher: Fetcher, site: Any, body: bytes) -> None:
    """Anything but a JSON object is refused."""
    site.gives("/.well-known/openid-configuration", body)
    with pytest.raises(SourceError, match="not a JSON object"):
        await DiscoverySource(site.address, fetcher).fetch()


async def test_files(tmp_path: Path) -> None:
    """Read as they are; missing, unreadable and huge ones are failures."""
    file = tmp_path / "jwks.json"
    with pytest.raises(SourceError, match="No such file"):
        await FileSource(file).fetch()
    with pytest.raises(SourceError, match="directory"):
        await FileSource(tmp_path).fetch()
    file.write_bytes(b"{}")
    assert await FileSource(file).fetch() == b"{}"
    file.write_bytes(b" " * (MAX_DOCUMENT + 1))
    with pytest.raises(SourceError, match="larger"):
        await FileSource(file).fetch()


async def test_the_authorities_to_trust_can_be_named(tmp_path: Path) -> None:
    """With ``ca`` those alone are trusted, and a file that changes counts from the next fetch."""
    ours, others = trustme.CA(), trustme.CA()
    ca = tmp_path / "ca.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    fetcher = Fetcher(timeout=2.0, ca=ca)
    with pytest.raises(SourceError, match="no certificates can be read"):
        await fetcher.get(url)
    for authority, trusted in ((others, False), (ours, True), (others, False)):
        ca.write_bytes(authority.cert_pem.bytes() + b"\n" * (1 + trusted))
        if trusted:
            assert await fetcher.get(url) == b"{}"
        else:
            with pytest.raises(SourceError, match="ConnectError"):
                await fetcher.get(url)
    with pytest.raises(SourceError, match="ConnectError"):
        await Fetcher(timeout=2.0).get(url)
    await fetcher.close()
    server.close()
