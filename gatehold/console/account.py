"""One's own account: where one is signed in, tokens for programs, chat accounts, the password."""

import asyncio
import hmac
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.console import cookies
from gatehold.console.context import Console, signed_in
from gatehold.console.fields import field
from gatehold.console.problems import Refused
from gatehold.people.chat_accounts import CODE_LIFE, ChatAccounts
from gatehold.people.entrance import Entrance
from gatehold.people.model import SignedIn, Way
from gatehold.people.passwords import WeakPassword
from gatehold.people.refusals import SignInRefused
from gatehold.people.tokens import TokenRefused, Tokens

_DAYS: Final = (7, 30, 90, 365)


def routes(console: Console, entrance: Entrance) -> list[Route]:
    """The page, and what its forms do."""
    page = _Account(console, entrance)
    posts = {
        "/account/tokens": page.make_token,
        "/account/tokens/revoke": page.revoke_token,
        "/account/sessions/end": page.end_session,
        "/account/sessions/end-all": page.end_all,
        "/account/chat/code": page.chat_code,
        "/account/chat/unbind": page.unbind,
        "/account/password": page.change_password,
    }
    made = [Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()]
    return [Route("/account", page.page, methods=["GET"]), *made]


class _Account:
    def __init__(self, console: Console, entrance: Entrance) -> None:
        self._console = console
        self._sessions = console.web_sessions
        self._entrance = entrance
        self._tokens = Tokens(console.store, console.clock)
        self._chats = ChatAccounts(console.store, console.clock)
        self._turn = asyncio.Semaphore(1)

    async def page(self, request: Request) -> Response:
        """Everything of the person who is signed in."""
        return await self._show(request)

    async def make_token(self, request: Request) -> Response:
        """A new API token; this answer is the only one that shows it."""
        me = signed_in(request)
        days = field(request, "days", "30")
        if days not in map(str, _DAYS):
            raise Refused(422, "Choose how long the token lives.")
        ttl = int(days) * 86400.0
        try:
            new = await asyncio.to_thread(
                self._tokens.make, me.person.name, label=field(request, "label").strip(), ttl=ttl, by=me.person.name
            )
        except TokenRefused as refused:
            return await self._show(request, 422, problem=_sentence(refused))
        return await self._show(request, 201, token=new)

    async def revoke_token(self, request: Request) -> Response:
        """One of one's own."""
        me, token = signed_in(request).person.name, field(request, "id")
        try:
            await asyncio.to_thread(self._tokens.revoke, token, by=me, user=me)
        except TokenRefused:
            raise Refused(404, "There is no such token.") from None
        return _back()

    async def end_session(self, request: Request) -> Response:
        """One of one's own, this one too."""
        me, digest = signed_in(request), field(request, "session")
        ended = await asyncio.to_thread(self._sessions.end, digest, user=me.person.name)
        if ended is None:
            raise Refused(404, "There is no such session.")
        return self._left() if hmac.compare_digest(digest.encode(), me.digest.encode()) else _back()

    async def end_all(self, request: Request) -> Response:
        """Everywhere, this one too."""
        await asyncio.to_thread(self._sessions.close_all, signed_in(request).person.name)
        return self._left()

    async def chat_code(self, request: Request) -> Response:
        """A code to send from a chat account."""
        code = await asyncio.to_thread(self._chats.code, signed_in(request).person.name)
        return await self._show(request, 201, code="-".join(code[at : at + 4] for at in range(0, len(code), 4)))

    async def unbind(self, request: Request) -> Response:
        """One of one's own chat accounts."""
        me = signed_in(request).person.name
        named = {each: field(request, each) for each in ("service", "team", "account")}
        if not await asyncio.to_thread(self._unbind, me, named):
            raise Refused(404, "There is no such chat account.")
        return _back()

    async def change_password(self, request: Request) -> Response:
        """By somebody who knows the one there is; they sign in again with the new one."""
        me = signed_in(request).person.name
        current, new = field(request, "current"), field(request, "new")
        if new != field(request, "again"):
            return await self._show(request, 422, problem="The new password was typed in two ways.")
        try:
            async with self._turn:
                await asyncio.to_thread(self._entrance.change_password, me, current, new)
        except SignInRefused as refused:
            address = request.client.host if request.client else ""
            await asyncio.to_thread(self._entrance.note, refused, Way.PASSWORD, address=address)
            return await self._show(request, 403, problem="The password is wrong, or was tried too often.")
        except WeakPassword as weak:
            return await self._show(request, 422, problem=_sentence(weak))
        return self._left()

    async def _show(self, request: Request, status: int = 200, **said: Any) -> Response:
        me = signed_in(request)
        values = await asyncio.to_thread(self._read, me)
        return self._console.templates.page(
            request,
            "account.html",
            status,
            **values,
            days=_DAYS,
            token=said.get("token"),
            code=said.get("code"),
            code_minutes=int(CODE_LIFE // 60),
            problem=said.get("problem"),
        )

    def _read(self, me: SignedIn) -> dict[str, Any]:
        name = me.person.name
        return {
            "sessions": sorted(self._sessions.of(name), key=lambda each: each.digest != me.digest),
            "tokens": self._tokens.of(name),
            "chats": self._chats.of(name),
            "local": me.way is Way.PASSWORD,
        }

    def _unbind(self, user: str, named: dict[str, str]) -> bool:
        return self._chats.unbind(user, **named)

    def _left(self) -> Response:
        response = RedirectResponse("/login", 303)
        cookies.drop(response, self._console.address.cookie, secure=self._console.address.is_secure)
        return response


def _back() -> Response:
    return RedirectResponse("/account", 303)


def _sentence(error: Exception) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."
