"""A real OpenID provider (npm ``oidc-provider``) for tests, and a browser without a screen that signs in there.

Where node or the package cannot be had, tests are skipped, unless ``GATEHOLD_REQUIRE`` names ``node``.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2

from tests.e2e.harness import clean_environment, require
from tests.node_packages import node_packages

HERE = Path(__file__).parent / "oidc"
CLIENT_SECRET = "client-planted-secret-77b1"

_ACTION = re.compile(r'action="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@contextmanager
def openid_provider(redirect_uri: str, accounts: Mapping[str, Any]) -> Iterator[str]:
    """A provider that runs; its issuer. ``accounts``: subject to claims; the password is anything."""
    environment = clean_environment(
        MODULES=str(node_packages(HERE / "package.json", "openid")),
        ACCOUNTS=json.dumps(accounts),
        CLIENT_SECRET=CLIENT_SECRET,
        REDIRECT_URI=redirect_uri,
    )
    command = [require("node"), str(HERE / "provider.mjs")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            issuer = process.stdout.readline().strip()
            assert issuer.startswith("http://127.0.0.1:"), "the OpenID provider did not start"
            yield issuer
        finally:
            process.stdin.close()
            process.wait(timeout=20)


class Browser:
    """Keeps cookies, follows no redirect by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(trust_env=False, timeout=30, headers={"Accept": "text/html"})

    def close(self) -> None:
        """End it."""
        self._client.close()

    @property
    def cookies(self) -> dict[str, str]:
        """Those it has, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._client.cookies.jar}

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """A page."""
        return self._client.get(urljoin(self.url, path), headers=headers)

    def post(self, path: str, fields: Mapping[str, str], *, origin: str | None = None) -> httpx2.Response:
        """A form, from a page of the same place."""
        address = urljoin(self.url, path)
        made = origin or address[: address.index("/", 8)]
        return self._client.post(address, data=dict(fields), headers={"Origin": made})

    def follow(self, answer: httpx2.Response, *, until: str) -> str:
        """Follow redirects up to an address that starts so, which is not visited."""
        for _ in range(10):
            address = urljoin(str(answer.url), answer.headers["location"])
            if address.startswith(until):
                return address
            answer = self._client.get(address)
            if answer.status_code == 200:
                return str(answer.url)
        raise AssertionError("too many redirects")

    def sign_in_at_provider(self, address: str, account: str, *, back: str) -> str:
        """Go through the provider's pages; the address of the callback, which is not visited."""
        page = self._client.get(address)
        while True:
            if page.is_redirect:
                address = urljoin(str(page.url), page.headers["location"])
                if address.startswith(back):
                    return address
                page = self._client.get(address)
                continue
            assert page.status_code == 200, page.text[:500]
            fields = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
            action = unescape(_ACTION.findall(page.text)[0])
            if fields.get("prompt") == "login":
                fields |= {"login": account, "password": "anything"}
            page = self._client.post(urljoin(str(page.url), action), data=fields)

    def form(self, page: httpx2.Response) -> dict[str, str]:
        """The hidden fields of a page."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
