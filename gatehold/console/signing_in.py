"""Signing in and out.

A password form carries a value that a cookie of this browser has too, so that nobody signs others in as themselves
(the guard has looked at ``Origin`` before). A sign-in at an OpenID provider is bound to the browser by
``gatehold.people.oidc``. Whoever is refused learns the same, in the same time, whether or not there is such a user.
"""

import asyncio
import hmac
import math
import secrets
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.config.console import OidcSpec
from gatehold.console import account, cookies
from gatehold.console.context import Console
from gatehold.console.fields import field
from gatehold.console.problems import Refused
from gatehold.console.returning import is_host_of, page_after, with_next
from gatehold.people.enrolling import Enrolling
from gatehold.people.entrance import Entrance
from gatehold.people.model import NewSession, SignedIn, Way
from gatehold.people.oidc import OidcLogin
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.sealing import LIFETIME

CALLBACK: Final = "/login/oidc/callback"
_AT_ONCE: Final = 2
"""Passwords that are looked at beside each other: each takes a core and 64 MiB."""
_STATUS: Final = {Why.THROTTLED: 429, Why.PROVIDER_SILENT: 503, Why.GROUPS: 403, Why.NAME: 403}


def routes(console: Console) -> list[Route]:
    """Signing in, signing out, and the page of one's own account."""
    settings = console.configuration.gateway.spec.console.login
    entrance = Entrance(console.store, console.web_sessions, clock=console.clock, monotonic=time.monotonic)
    pages = _SigningIn(console, entrance)
    made = [
        Route("/login", pages.page, methods=["GET"]),
        Route("/logout", pages.leave, methods=["POST"]),
        *account.routes(console, entrance),
    ]
    if settings.password:
        made.append(Route("/login", pages.by_password, methods=["POST"]))
    if settings.oidc is not None:
        oidc = _ByOidc(console, settings.oidc, pages, entrance)
        made += [Route("/login/oidc", oidc.begin, methods=["GET"]), Route(CALLBACK, oidc.finish, methods=["GET"])]
    return made


class _SigningIn:
    def __init__(self, console: Console, entrance: Entrance) -> None:
        self._console = console
        self._entrance = entrance
        self._settings = console.configuration.gateway.spec.console
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._ticket = f"{console.address.cookie}-form"

    async def page(self, request: Request) -> Response:
        """The ways in."""
        then = page_after(request.query_params.get("next", ""))
        if _there(request):
            return RedirectResponse(then, 303)
        return self.form(request, then)

    async def by_password(self, request: Request) -> Response:
        """A name and a password were sent."""
        name, password, sent = (field(request, each) for each in ("name", "password", "ticket"))
        then = page_after(field(request, "next"))
        kept = cookies.only(request.headers, self._ticket)
        if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
            return self.form(request, then, refused=SignInRefused(Why.NO_LOGIN))
        try:
            async with self._turn:
                new = await asyncio.to_thread(self._entrance.by_password, name, password, address=address_of(request))
        except SignInRefused as refused:
            await asyncio.to_thread(self._entrance.note, refused, Way.PASSWORD, address=address_of(request))
            return self.form(request, then, refused=refused)
        return await self.let_in(request, new, then)

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        value = cookies.only(request.headers, self._console.address.cookie)
        if value:
            await asyncio.to_thread(self._console.web_sessions.close, value)
        return self.left()

    def left(self) -> Response:
        """To the sign-in, without a cookie."""
        response = RedirectResponse("/login", 303)
        cookies.drop(response, self._console.address.cookie, secure=self._console.address.is_secure)
        return response

    def form(self, request: Request, then: str, *, refused: SignInRefused | None = None) -> Response:
        """The page to sign in at, with what went wrong."""
        ticket = cookies.only(request.headers, self._ticket) or secrets.token_urlsafe(32)
        response = self._console.templates.page(
            request,
            "login.html",
            _STATUS.get(refused.why, 401) if refused else 200,
            password=self._settings.login.password,
            oidc=with_next("/login/oidc", then) if self._settings.login.oidc else None,
            ticket=ticket,
            then=then,
            refused=str(refused) if refused else None,
        )
        if refused and refused.retry_after:
            response.headers["Retry-After"] = str(math.ceil(refused.retry_after))
        cookies.put(response, self._ticket, ticket, seconds=3600, secure=self._console.address.is_secure)
        return response

    async def let_in(self, request: Request, new: NewSession, then: str) -> Response:
        """On to the page they wanted, with the cookie of a new session; one of before is over."""
        before = cookies.only(request.headers, self._console.address.cookie)
        if before:
            await asyncio.to_thread(self._console.web_sessions.close, before)
        response = RedirectResponse(then, 303)
        address = self._console.address
        cookies.put(
            response, address.cookie, new.cookie_value, seconds=self._settings.session.max, secure=address.is_secure
        )
        cookies.drop(response, self._ticket, secure=address.is_secure)
        return response


class _ByOidc:
    def __init__(self, console: Console, spec: OidcSpec, pages: _SigningIn, entrance: Entrance) -> None:
        self._console = console
        self._pages = pages
        self._entrance = entrance
        self._login = OidcLogin(spec, f"{console.address.url}{CALLBACK}", clock=console.clock, monotonic=time.monotonic)
        self._enrolling = Enrolling(console.store, console.web_sessions, spec, console.clock)
        self._cookie = f"{console.address.cookie}-oidc"

    async def begin(self, request: Request) -> Response:
        """Off to the provider; from the address that it sends people back to, whose cookie the callback will see."""
        then = page_after(request.query_params.get("next", ""))
        if not is_host_of(request.headers.get("host", ""), self._console.address.url):
            return RedirectResponse(f"{self._console.address.url}{with_next('/login/oidc', then)}", 303)
        try:
            self._entrance.charge(address_of(request))
            begun = await self._login.begin(then)
        except SignInRefused as refused:
            return await self._refuse(request, refused)
        self._entrance.forgive(address_of(request))
        response = RedirectResponse(begun.address, 303)
        secure = self._console.address.is_secure
        cookies.put(response, self._cookie, begun.cookie_value, seconds=LIFETIME, secure=secure)
        return response

    async def finish(self, request: Request) -> Response:
        """Back from the provider."""
        address = address_of(request)
        try:
            self._entrance.charge(address)
            arrived = await self._login.finish(cookies.only(request.headers, self._cookie) or "", _answer(request))
            new = await asyncio.to_thread(self._enrolling.let_in, arrived.claims, address=address)
        except SignInRefused as refused:
            return await self._refuse(request, refused)
        self._entrance.forgive(address)
        response = await self._pages.let_in(request, new, arrived.then)
        cookies.drop(response, self._cookie, secure=self._console.address.is_secure)
        return response

    async def _refuse(self, request: Request, refused: SignInRefused) -> Response:
        await asyncio.to_thread(self._entrance.note, refused, Way.OIDC, address=address_of(request))
        response = self._pages.form(request, "/", refused=refused)
        cookies.drop(response, self._cookie, secure=self._console.address.is_secure)
        return response


def address_of(request: Request) -> str:
    """Where a request comes from; a proxy's address where there is one in front."""
    return request.client.host if request.client else ""


def _there(request: Request) -> SignedIn | None:
    found: SignedIn | None = getattr(request.state, "signed_in", None)
    return found


def _answer(request: Request) -> dict[str, str]:
    """The parameters of the callback, each of them once (RFC 6749, section 3.1)."""
    pairs = request.query_params.multi_items()
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise Refused(400, "The answer of the sign-in service cannot be read.")
    return answer
