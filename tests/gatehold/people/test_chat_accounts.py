"""Law: an account is whose code it sent, in time, once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from gatehold.people.chat_accounts import CODE_LIFE, ChatAccounts, UnknownCode
from gatehold.store import Store
from gatehold.store.schema import chat_accounts
from gatehold.store.users import UnknownUser, remove_user
from tests.gatehold.people.conftest import Clock, events

HERE = {"service": "slack", "team": "T1", "account": "U1"}


@pytest.fixture
def chats(store: Store, clock: Clock) -> ChatAccounts:
    return ChatAccounts(store, clock)


def test_a_code_binds_an_account(chats: ChatAccounts, store: Store) -> None:
    """However it is typed; it counts with the person's groups of now."""
    code = chats.code("ada")
    assert chats.find(**HERE) is None
    assert chats.bind(f" {code[:4].lower()}-{code[4:8]}-{code[8:]} ", **HERE) == "ada"
    found = chats.find(**HERE)
    assert found is not None
    assert (found.name, found.groups) == ("ada", {"sre"})
    assert [(each.service, each.team, each.account) for each in chats.of("ada")] == [("slack", "T1", "U1")]
    assert code not in f"{events(store)}"
    assert [event["action"] for event in events(store)] == ["bind"]


def test_another_account_is_another(chats: ChatAccounts) -> None:
    """Of another team, service or spelling."""
    chats.bind(chats.code("ada"), **HERE)
    for other in ({"team": "T2"}, {"service": "teams"}, {"account": "u1"}):
        assert chats.find(**{**HERE, **other}) is None


def test_a_code_counts_once(chats: ChatAccounts) -> None:
    """For whoever is first."""
    code = chats.code("ada")
    chats.bind(code, **HERE)
    with pytest.raises(UnknownCode):
        chats.bind(code, service="slack", team="T1", account="U2")


def test_two_accounts_send_it_at_once(chats: ChatAccounts) -> None:
    """One of them has it."""

    def send(account: str) -> bool:
        try:
            chats.bind(code, service="slack", team="T1", account=account)
        except UnknownCode:
            return False
        return True

    code = chats.code("ada")
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, ["U1", "U2", "U3", "U4"])) == [False, False, False, True]
    assert len(chats.of("ada")) == 1


def test_a_code_does_not_last(chats: ChatAccounts, clock: Clock) -> None:
    """Ten minutes, and until there is another one."""
    first = chats.code("ada")
    second = chats.code("ada")
    with pytest.raises(UnknownCode):
        chats.bind(first, **HERE)
    clock.now += CODE_LIFE
    for _ in range(2):
        with pytest.raises(UnknownCode):
            chats.bind(second, **HERE)
    assert chats.of("ada") == []


@pytest.mark.parametrize(
    "place",
    [{"service": "~code", "team": "T", "account": "U"}, {"service": "slack", "team": "", "account": "U"},
     {"service": "slack", "team": "T", "account": "x" * 65}, {"service": "slack", "team": "T", "account": "U\x00"}],
)  # fmt: skip
def test_accounts_that_are_none(chats: ChatAccounts, place: dict[str, str]) -> None:
    """They use up no code."""
    code = chats.code("ada")
    with pytest.raises(UnknownCode):
        chats.bind(code, **place)
    assert chats.bind(code, **HERE) == "ada"


def test_a_code_is_no_account(chats: ChatAccounts, store: Store) -> None:
    """Though it waits among them, as a digest."""
    code = chats.code("ada")
    with store.reading() as connection:
        row = connection.execute(select(chat_accounts)).one()
    assert code not in str(row)
    assert chats.find(row.service, row.team, row.account) is None
    assert not chats.unbind("ada", service=row.service, team=row.team, account=row.account)


def test_an_account_may_change_hands(chats: ChatAccounts) -> None:
    """By the newest code that it sent."""
    chats.bind(chats.code("ada"), **HERE)
    assert chats.bind(chats.code("bob"), **HERE) == "bob"
    assert chats.of("ada") == []


def test_it_ends(chats: ChatAccounts, store: Store) -> None:
    """When its person unbinds it, nobody else, and with the person."""
    chats.bind(chats.code("ada"), **HERE)
    assert not chats.unbind("bob", **HERE)
    assert chats.unbind("ada", **HERE)
    assert chats.find(**HERE) is None
    chats.bind(chats.code("ada"), **HERE)
    with store.writing() as connection:
        remove_user(connection, "ada", by="os:root", now=1.0)
    assert chats.find(**HERE) is None


def test_only_users_have_codes(chats: ChatAccounts) -> None:
    """A code is a person's."""
    with pytest.raises(UnknownUser):
        chats.code("eve")
