"""Law: people see and end what is theirs, and nothing of others."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehold.people.chat_accounts import ChatAccounts
from gatehold.people.model import Way
from gatehold.people.tokens import Tokens
from tests.gatehold.console.people import PASSWORD, Place, Visitor, place

COOKIE = "__Host-gatehold"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def signed_in(here: Place, name: str = "ada", way: Way = Way.PASSWORD) -> Visitor:
    """Somebody with a session."""
    visitor = here.visitor()
    visitor.client.headers["Cookie"] = f"{COOKIE}={here.cookie(name, way)}"
    return visitor


def value_of(visitor: Visitor) -> str:
    """The value of the session's cookie."""
    return visitor.client.headers["Cookie"].partition("=")[2]


async def test_tokens_are_shown_once(here: Place) -> None:
    """In the answer that made them; a text as a label stays a text."""
    ada = signed_in(here)
    answer = await ada.send("/account/tokens", {"label": "<b>bot</b>", "days": "30"})
    (text,) = set(re.findall(r"ghu_[\w-]{43}", answer.text))
    assert answer.status_code == 201
    assert "&lt;b&gt;bot" in answer.text
    page = (await ada.get("/account")).text
    assert text not in page
    holder = Tokens(here.store, lambda: here.now).find(text)
    assert holder is not None
    assert holder.person.name == "ada"
    assert (await ada.send("/account/tokens/revoke", {"id": holder.token_id})).status_code == 303
    assert (await ada.send("/account/tokens/revoke", {"id": holder.token_id})).status_code == 404
    assert Tokens(here.store, lambda: here.now).find(text) is None


@pytest.mark.parametrize(
    "fields", [{"label": "x", "days": "9999"}, {"label": "x", "days": ""}, {"label": " ", "days": "30"}]
)
async def test_tokens_that_cannot_be(here: Place, fields: dict[str, str]) -> None:
    """Are refused in words."""
    assert (await signed_in(here).send("/account/tokens", fields)).status_code == 422


async def test_nobody_ends_what_others_have(here: Place) -> None:
    """Token, session, chat account: as if there were none."""
    ada, bob = signed_in(here), signed_in(here, "bob")
    token = Tokens(here.store, lambda: here.now).make("ada", label="x", ttl=9.0, by="ada")
    chats = ChatAccounts(here.store, lambda: here.now)
    chats.bind(chats.code("ada"), service="slack", team="T", account="U")
    session = here.sessions.of("ada")[0]
    chat = {"service": "slack", "team": "T", "account": "U"}
    assert (await bob.send("/account/tokens/revoke", {"id": token.token.id})).status_code == 404
    assert (await bob.send("/account/sessions/end", {"session": session.digest})).status_code == 404
    assert (await bob.send("/account/chat/unbind", chat)).status_code == 404
    assert (await ada.get("/account")).status_code == 200
    assert (await ada.send("/account/chat/unbind", chat)).status_code == 303
    assert chats.of("ada") == []


async def test_ending_sessions(here: Place) -> None:
    """One elsewhere, this one, all."""
    ada, other = signed_in(here), here.cookie()
    elsewhere = next(
        each for each in here.sessions.of("ada") if each.digest != here.sessions.find(value_of(ada)).digest
    )  # type: ignore[union-attr]
    assert (await ada.send("/account/sessions/end", {"session": elsewhere.digest})).headers["location"] == "/account"
    assert here.sessions.find(other) is None
    another = here.cookie()
    assert (await ada.send("/account/sessions/end-all", {})).headers["location"] == "/login"
    assert here.sessions.find(another) is here.sessions.find(value_of(ada)) is None


async def test_a_code_for_a_chat(here: Place) -> None:
    """Binds an account that sends it."""
    answer = await signed_in(here).send("/account/chat/code", {})
    code = re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", answer.text)[0]
    assert ChatAccounts(here.store, lambda: here.now).bind(code, service="slack", team="T", account="U") == "ada"


async def test_another_password(here: Place) -> None:
    """By who knows the one there is; afterwards one signs in anew."""
    ada = signed_in(here)
    new = "another long password"
    for fields, status in (
        ({"current": "wrong", "new": new, "again": new}, 403),
        ({"current": PASSWORD, "new": new, "again": f"{new}!"}, 422),
        ({"current": PASSWORD, "new": "short", "again": "short"}, 422),
    ):
        assert (await ada.send("/account/password", fields)).status_code == status
    done = await ada.send("/account/password", {"current": PASSWORD, "new": new, "again": new})
    assert done.headers["location"] == "/login"
    assert (await ada.get("/account")).status_code == 303
    assert (await here.visitor().sign_in(password=new)).status_code == 303


async def test_what_a_page_shows(here: Place) -> None:
    """No script or style in it, nor a password where a provider vouches; names and groups as text."""
    page = (await signed_in(here, "bob", Way.OIDC).get("/account")).text
    assert "&lt;b&gt;dba&lt;/b&gt;" in page
    assert "OpenID" in page
    assert 'name="current"' not in page
    assert not re.search(r"style=|<script>| on\w+=", page)
