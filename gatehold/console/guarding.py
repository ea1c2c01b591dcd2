"""In front of every page: is this request one that a person made here, in this browser, on purpose?

1. ``Host`` names this console (a foreign name that leads here is DNS rebinding), else 421.
2. What changes something comes from a page of this console (``Origin``, or ``Sec-Fetch-Site`` where a browser leaves
   that out; a request with neither is refused), is a small form, and repeats the session's CSRF token.
3. Everything but the sign-in needs a live session; without one a page leads to the sign-in and anything else is 401.
4. Every answer, errors too, carries the same headers. No script or style runs that is not a file of ours.

Requests under ``/api/`` never look at the cookie, so that a browser's rights are no use there, and need no CSRF token.
Nor do those under ``/hooks/``, which programs of others sign: each hook checks the signature itself.
Failures behind the guard are logged by their type alone: their text may hold data.
"""

import asyncio
import hmac
import logging
from functools import partial
from typing import Final, Protocol
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehold.console import forms, problems
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.problems import Forged, Refused
from gatehold.console.templating import Templates
from gatehold.people.model import SignedIn
from gatehold.store.errors import StoreError
from gatehold.store.seldom import SeldomEvents

logger = logging.getLogger(__name__)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it browsers send `Origin: null` with forms. Nothing is told to other sites either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SAFE: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = _SAFE | {"POST"}
MOST_BODY: Final = 64 * 1024
BODY_SECONDS: Final = 10.0
"""How long a form may take to come: connections are few, and anybody may open one."""
_API: Final = ("/api/", "/hooks/")
_HEALTH: Final = "/healthz"
_NOBODY: Final = ("/static/",)
_SIGN_IN: Final = "/login"


class Sessions(Protocol):
    """Whose live session a cookie's value is; ``use``: whether this keeps it from being idle."""

    def __call__(self, cookie_value: str, *, use: bool) -> SignedIn | None: ...


class Guard:
    """ASGI middleware. ``find`` says whose live session a cookie is; it may block.

    ``forgeries`` is told what was refused because no page of the console sent it.
    """

    def __init__(
        self, app: ASGIApp, *, address: ConsoleAddress, find: Sessions, templates: Templates, forgeries: SeldomEvents
    ) -> None:
        self._app = app
        self._forgeries = forgeries
        self._address = address
        self._find = find
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the console speaks http only")
        send = self._with_headers(send)
        try:
            let_in = await self._let_in(scope, receive)
            if isinstance(let_in, Response):
                await let_in(scope, receive, send)
            else:
                await self._app(scope, let_in, send)
        except Exception as error:  # noqa: BLE001 - answered as what it is, or as a fault of the console
            await self._tell(error)
            await self._refusal(scope, error)(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive) -> Receive | Response:
        """The body to go on with, or the answer that ends it; raises Refused."""
        headers, path = Headers(scope=scope), scope["path"]
        if path != _HEALTH and _only(headers, "host").lower() not in self._address.hosts:
            raise Refused(421, "The console does not go by this name. Use the address it was set up with.")
        if scope["method"] not in _METHODS:
            raise Refused(405, "The console answers GET and POST.")
        changes = scope["method"] not in _SAFE
        if path.startswith(_API):
            return _replayed(await _body(headers, receive)) if changes else receive
        if changes:
            self._check_origin(headers)
            receive = await _with_form(scope, headers, receive)
        return await self._check_person(scope, headers, changes=changes) or receive

    def _check_origin(self, headers: Headers) -> None:
        origins, site = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        here = origins[0] in self._address.origins if len(origins) == 1 else not origins and site == ["same-origin"]
        if not here:
            raise Forged("origin", "This request does not come from a page of the console.")

    async def _check_person(self, scope: Scope, headers: Headers, *, changes: bool) -> Response | None:
        path = scope["path"]
        if path == _HEALTH or path.startswith(_NOBODY):
            return None
        found = await self._person(headers)
        if found is None:
            return None if _is_sign_in(path) else self._sign_in(scope, headers)
        scope.setdefault("state", {})["signed_in"] = found
        if changes:
            _check_token(scope, headers, found)
        return None

    async def _person(self, headers: Headers) -> SignedIn | None:
        value = _cookie(headers, self._address.cookie)
        # Parts of a page are asked for by timers: a page that is only open does not keep its person signed in.
        use = not _is_part(headers)
        return None if value is None else await asyncio.to_thread(partial(self._find, value, use=use))

    def _sign_in(self, scope: Scope, headers: Headers) -> Response:
        if scope["method"] != "GET" or _is_part(headers) or not _wants_a_page(headers):
            raise Refused(401, "You are signed out. Open the console again to sign in.")
        query = scope["query_string"].decode("latin-1")
        wanted = quote(scope["path"], safe="/") + (f"?{query}" if query else "")
        return RedirectResponse(f"{_SIGN_IN}?next={quote(wanted, safe='/')}" if wanted != "/" else _SIGN_IN, 303)

    async def _tell(self, error: Exception) -> None:
        if not isinstance(error, Forged):
            return
        event = {"kind": "form-refused", "by": f"user:{error.user}" if error.user else "unknown"}
        try:
            await asyncio.to_thread(self._forgeries.note, {**event, "objection": error.objection})
        except StoreError as failure:  # refused it is all the same
            logger.error("gatehold: a forged form could not be recorded: %s", type(failure).__name__)  # noqa: TRY400

    def _refusal(self, scope: Scope, error: Exception) -> Response:
        refused = problems.known(error)
        if refused is None:
            logger.error("gatehold: the console failed: %s", type(error).__name__)
            refused = Refused(500, "Nothing is known of what was asked. The gateway's log has the kind of the failure.")
        if scope["path"].startswith(_API):
            made = problems.document(refused)
        else:
            made = problems.page(self._templates, refused, part=_is_part(Headers(scope=scope)))
        if scope["method"] not in _SAFE:
            made.headers["Connection"] = "close"  # whatever was announced is not read
        return made

    def _with_headers(self, send: Send) -> Send:
        secure = self._address.is_secure

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        return sending


def _is_sign_in(path: str) -> bool:
    return path == _SIGN_IN or path.startswith(f"{_SIGN_IN}/")


def _is_part(headers: Headers) -> bool:
    return headers.get("hx-request") == "true"


def _wants_a_page(headers: Headers) -> bool:
    wanted = headers.get("accept", "*/*")
    return "text/html" in wanted or "*/*" in wanted


def _only(headers: Headers, name: str) -> str:
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def _cookie(headers: Headers, name: str) -> str | None:
    """The one cookie of this name; several (another host of the domain may set some) are none."""
    pairs = [each.partition("=") for line in headers.getlist("cookie") for each in line.split(";")]
    values = [value.strip() for key, _, value in pairs if key.strip() == name]
    return values[0] if len(values) == 1 else None


async def _with_form(scope: Scope, headers: Headers, receive: Receive) -> Receive:
    body = await _body(headers, receive)
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() != forms.FORM:
        raise Refused(415, "The console takes forms only.")
    try:
        scope.setdefault("state", {})["form"] = forms.parse(body)
    except ValueError:
        raise Refused(400, "This form cannot be read.") from None
    return _replayed(body)


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole body. Raises Refused where it is too large or too slow, or the client goes."""
    announced = _only(headers, "content-length")
    if announced.isdecimal() and int(announced) > MOST_BODY:
        raise Refused(413, "That is more than the console takes.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive)
    except TimeoutError:
        raise Refused(408, "The request took too long to come.") from None


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "The request broke off.")
        body += message.get("body", b"")
        if len(body) > MOST_BODY:
            raise Refused(413, "That is more than the console takes.")
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes) -> Receive:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return left.pop() if left else {"type": "http.disconnect"}

    return receive


def _check_token(scope: Scope, headers: Headers, found: SignedIn) -> None:
    sent = headers.getlist("x-csrf-token") or list(scope["state"]["form"].get("csrf", ()))
    if len(sent) != 1 or not hmac.compare_digest(sent[0].encode(), found.csrf.encode()):
        words = "This form is from an earlier sign-in. Open the page again and repeat it."
        raise Forged("csrf", words, user=found.person.name)
