"""Law: a session begins in the browser where somebody proved who they are, and ends when they say so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehold.people.passwords import Passwords
from tests.gatehold.console.people import PASSWORD, URL, Place, place

COOKIE = "__Host-gatehold"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


async def test_in_and_out(here: Place) -> None:
    """By https the cookie is Secure, of this host alone; the ticket of the form is taken back."""
    ada = here.visitor()
    answer = await ada.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    made = {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert set(made) == {COOKIE, f"{COOKIE}-form"}
    assert all("; secure" in line and "; httponly" in line and "path=/" in line for line in made.values())
    assert "max-age=0" in made[f"{COOKIE}-form"]
    assert (await ada.get("/account")).status_code == 200
    assert (await ada.get("/login?next=/grants")).headers["location"] == "/grants"
    value = ada.client.cookies[COOKIE]
    assert (await ada.send("/logout", {})).headers["location"] == "/login"
    assert here.sessions.find(value) is None


async def test_a_new_session_ends_the_one_of_before(here: Place) -> None:
    """Nobody goes on in a session that somebody else may have put there."""
    planted = here.cookie("bob")
    ada = here.visitor()
    page = await ada.get("/login")
    ticket = page.text.split('name="ticket" value="')[1].split('"')[0]
    fields = {"ticket": ticket, "name": "ada", "password": PASSWORD}
    refused = await ada.client.post("/login", data=fields, headers={"Cookie": f"{COOKIE}={planted}"})
    assert refused.status_code == 403
    answer = await ada.sign_in()
    assert answer.status_code == 303
    assert ada.client.cookies[COOKIE] != planted


@pytest.mark.parametrize("change", [{"ticket": ""}, {"ticket": "x"}, {"ticket": "\u00e9"}])
async def test_a_form_of_elsewhere(here: Place, change: dict[str, str]) -> None:
    """One that this browser was not given signs nobody in, whoever they are."""
    ada = here.visitor()
    answer = await ada.send("/login", {"name": "ada", "password": PASSWORD, **change}, page="/login")
    assert answer.status_code == 401
    assert COOKIE not in ada.client.cookies
    without = here.visitor()
    await without.get("/login")
    without.client.cookies.clear()
    assert (await without.client.post("/login", data={"name": "ada", "password": PASSWORD})).status_code == 401


async def test_refusals_look_alike(here: Place) -> None:
    """Whoever there is; and what was typed does not come back."""
    answers = [
        await here.visitor(f"192.0.2.{at}").sign_in(name, "wrong-\u202e<b>")
        for at, name in enumerate(["ada", "bob", "no<b>"])
    ]
    pages = {answer.text.split('name="ticket"')[0] + answer.text.split("next")[-1] for answer in answers}
    assert {answer.status_code for answer in answers} == {401}
    assert len(pages) == 1
    assert "wrong-" not in answers[0].text


async def test_passwords_are_looked_at_two_at_a_time(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once: each takes a core and 64 MiB."""
    running, most = 0, 0

    def fits(self: Passwords, name: str, password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        while_others_may_come.wait(0.02)
        running -= 1
        return False

    import threading

    while_others_may_come = threading.Event()
    monkeypatch.setattr(Passwords, "fits", fits)
    answers = await asyncio.gather(*(here.visitor(f"192.0.2.{at}").sign_in(f"n{at}") for at in range(8)))
    assert {answer.status_code for answer in answers} == {401}
    assert most == 2


async def test_too_many_tries(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are told when to come again."""
    monkeypatch.setattr(Passwords, "fits", lambda *_: False)
    answers = [await here.visitor().sign_in("ada") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 90
    assert "Please wait" in answers[-1].text


async def test_a_field_twice(here: Place) -> None:
    """Is no form."""
    answer = await here.visitor().client.post(
        "/login",
        content="name=ada&name=bob&password=x&ticket=y",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 400


async def test_ways_that_are_closed(tmp_path: Path) -> None:
    """Without passwords there is no form and nobody who takes one; without a provider no way there."""
    oidc = {"issuer": "http://127.0.0.1:9", "clientId": "g", "allow": ["sre"]}
    with place(tmp_path, login={"password": False, "oidc": oidc}) as only_oidc:
        visitor = only_oidc.visitor()
        page = (await visitor.get("/login?next=/grants")).text
        assert 'href="/login/oidc?next=/grants"' in page
        assert "<form" not in page
        assert (await visitor.client.post("/login", data={"name": "ada", "password": PASSWORD})).status_code in {
            404,
            405,
        }
        assert (await visitor.get("/login/oidc")).status_code == 503
        assert (await visitor.get("/login/oidc/callback?code=a&state=b")).status_code == 401
    with place(tmp_path) as only_passwords:
        assert (await only_passwords.visitor().get("/login/oidc")).status_code == 404
        assert "organisation" not in (await only_passwords.visitor().get("/login")).text


async def test_the_way_there_starts_at_the_address_of_the_way_back(tmp_path: Path) -> None:
    """Else the cookie that binds it would be that of another name."""
    oidc = {"issuer": "http://127.0.0.1:9", "clientId": "g", "allow": ["sre"]}
    with place(tmp_path, login={"oidc": oidc}) as here:
        answer = await here.visitor().get("/login/oidc?next=/grants", Host="127.0.0.1:8081")
        assert answer.headers["location"] == f"{URL}/login/oidc?next=/grants"
