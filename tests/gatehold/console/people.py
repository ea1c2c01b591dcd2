"""The sign-in and the account behind the guard, with a store of people, asked as browsers ask."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
from starlette.routing import Router

from gatehold.config.console import ConsoleSpec
from gatehold.console import signing_in
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.guarding import Guard
from gatehold.console.templating import Templates
from gatehold.people import passwords
from gatehold.people.model import Way
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store, open_store
from gatehold.store.seldom import SeldomEvents
from gatehold.store.users import add_user, set_password

PASSWORD = "correct horse battery staple"
URL = "https://gatehold.example"
HASH = passwords.hashed(PASSWORD)

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Visitor:
    """A browser on one computer."""

    def __init__(self, app: Any, address: str = "192.0.2.7") -> None:
        transport = httpx2.ASGITransport(app=app, client=(address, 1234))
        headers = {"Accept": "text/html", "Origin": URL}
        self.client = httpx2.AsyncClient(transport=transport, base_url=URL, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """A page."""
        return await self.client.get(path, headers=headers)

    async def send(self, path: str, fields: Mapping[str, str], *, page: str = "/account") -> httpx2.Response:
        """A form, with the hidden fields of the page where it stands."""
        shown = (await self.client.get(page)).text
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(shown) if name in {"csrf", "ticket", "next"}}
        return await self.client.post(path, data=hidden | dict(fields))

    async def sign_in(self, name: str = "ada", password: str = PASSWORD) -> httpx2.Response:
        """By the form."""
        return await self.send("/login", {"name": name, "password": password}, page="/login")


class Place:
    """A console of which people know the address."""

    def __init__(self, store: Store, spec: ConsoleSpec) -> None:
        self.store = store
        self.now = 1_000_000.0
        self.sessions = WebSessions(store, spec.session, lambda: self.now)
        address, templates = ConsoleAddress.of(spec.host, spec.port, spec.url), Templates()
        gateway = SimpleNamespace(spec=SimpleNamespace(console=spec))
        console: Any = SimpleNamespace(
            address=address, configuration=SimpleNamespace(gateway=gateway), store=store, web_sessions=self.sessions,
            templates=templates, clock=lambda: self.now,
        )  # fmt: skip
        router = Router(signing_in.routes(console), redirect_slashes=False)
        forgeries = SeldomEvents(store, lambda: self.now)
        self.app = Guard(router, address=address, find=self.sessions.find, templates=templates, forgeries=forgeries)

    def visitor(self, address: str = "192.0.2.7") -> Visitor:
        """Somebody who comes."""
        return Visitor(self.app, address)

    def cookie(self, name: str = "ada", way: Way = Way.PASSWORD) -> str:
        """The cookie of a session elsewhere."""
        return self.sessions.open(name, way).cookie_value


@contextmanager
def place(directory: Path, **console: Any) -> Iterator[Place]:
    """A console with ``ada`` of ``sre``, who has a password, and ``bob``, who has none."""
    with open_store("sqlite", directory) as store:
        with store.writing() as connection:
            add_user(connection, "ada", ["sre"], by="os:root", now=1.0)
            add_user(connection, "bob", ["<b>dba</b>"], by="os:root", now=1.0)
            set_password(connection, "ada", HASH, by="os:root", now=1.0)
        yield Place(store, ConsoleSpec.model_validate({"url": URL, **console}))
