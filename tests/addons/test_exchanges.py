"""Law: what the target says is masked, what the agent says is searched, and what is recorded is what went on."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons import exchanges
from addons.conversations import POLICY
from addons.exchanges import BURST, Exchange, Rate, Terms
from masking.engine import MaskingEngine
from masking.literals import SHORTEST, Literals
from masking.profiles import resolve

CARD, MAIL = "4111 1111 1111 1111", "jane.doe@example.com"
SECRET = b"target-credential-81c4be"
ENGINE = MaskingEngine(resolve({}), key=b"k" * 32)


def search(content: bytes) -> tuple[bytes, Mapping[str, int]]:
    masked = ENGINE.mask_body(content, content_type="", profiles=("pci",))
    return masked.body, masked.counts


def exchange(*profiles: str, on_unmaskable: str = "block", searched: bool = False, replaces: bool = False) -> Exchange:
    mask = ENGINE.open_messages(profiles=profiles) if profiles else None
    terms = Terms(mask=mask, on_unmaskable=on_unmaskable, search=search if searched else None, replaces=replaces)
    return Exchange(terms, echoes=Literals([SECRET]), keep=lambda content, _is_text: b"kept " + content)


def heard(one: Exchange, *said: str | bytes, from_client: bool = False) -> list[str | bytes]:
    """What goes on of some messages, in the same kinds."""
    for each in said:
        content = each.encode() if isinstance(each, str) else each
        one.receive(content, from_client=from_client, is_text=isinstance(each, str))
    taken = one.take()
    assert all(each.to_client is not from_client for each in taken)
    return [each.content.decode() if each.is_text else each.content for each in taken]


def test_messages_pass_in_their_kinds() -> None:
    """Without obligations nothing is changed but the credential."""
    one = exchange()
    assert heard(one, "text", b"\0\xff", "") == ["text", b"\0\xff", ""]
    assert heard(one, "hello", b"\1", from_client=True) == ["hello", b"\1"]
    assert heard(one, f"echo {SECRET.decode()}", SECRET) == ["echo ***", b"***"]
    assert one.summary() == {"sent": 6, "received": 11 + 2 * len(SECRET)}


@pytest.mark.parametrize("at", range(1, len(SECRET)))
def test_a_credential_over_two_messages_is_hidden(at: int) -> None:
    """Of it no more is seen than too few bytes to be told from other words; what is no credential goes on."""
    one = exchange()
    first, then = heard(one, b"said " + SECRET[:at], SECRET[at:] + b" done")
    assert (first, then) == (b"said " + (SECRET[:at] if at < SHORTEST else b"***"), b"*** done")
    assert heard(one, SECRET[:5], b"-other", SECRET[:12], b"-more", SECRET) == [
        *(SECRET[:5], b"-other", b"***", b"-more", b"***")
    ]


def test_what_the_target_says_is_masked() -> None:
    """Texts, and JSON by the names in it."""
    one = exchange("pci", "pii", "secrets")
    assert heard(one, f"card {CARD}!", json.dumps({"to": MAIL, "password": "hunter2x"})) == [
        "card <CREDIT_CARD>!",
        '{"to": "<EMAIL_ADDRESS>", "password": "<SECRET>"}',
    ]
    assert one.counts() == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1, "SECRET": 1}
    assert one.dialogue.messages[0].content.decode() == "card <CREDIT_CARD>!"
    assert all(each.is_text and not each.from_client for each in one.dialogue.messages)


def test_a_value_over_several_messages_is_hidden() -> None:
    """As a model's answer in pieces; what waits goes on with the end of the exchange."""
    one = exchange("pci")
    pieces = ["card 4111 11", "11 1111", " 1111", " is it"]
    shown = heard(one, *(json.dumps({"type": "response.output_text.delta", "delta": piece}) for piece in pieces))
    one.finish()
    shown += heard(one)
    assert "".join(json.loads(each)["delta"] for each in shown) == "card <CREDIT_CARD> is it"


def test_after_a_pause_what_waits_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a value after a long one only."""
    one = exchange("pci")
    assert heard(one, '{"text":"a word"}', '{"text":" 4111 11"}') == ['{"text":"a word"}']
    one.flush()
    assert heard(one) == []
    assert one.may_flush
    monkeypatch.setattr(exchanges, "PATIENCE", 0.0)
    one.flush()
    assert heard(one) == ['{"text":" 4111 11"}']
    assert not one.may_flush


@pytest.mark.parametrize("said", [b"bytes", "nul \0"])
def test_what_cannot_be_masked_does_what_the_rule_says(said: str | bytes) -> None:
    """Ends the exchange, is left out, or passes; what waited before it comes first."""
    blocked = exchange("pci")
    assert heard(blocked, said, "more") == []
    assert blocked.ended is not None
    assert blocked.ended.code == POLICY
    waits = '{"text":"word"}'
    assert heard(exchange("pci", on_unmaskable="drop"), waits, said, f"card {CARD}") == [waits, "card <CREDIT_CARD>"]
    assert heard(exchange("pci", on_unmaskable="pass"), waits, said, f"card {CARD}") == [
        waits,
        said,
        "card <CREDIT_CARD>",
    ]


def test_protected_data_of_the_agent_ends_the_exchange() -> None:
    """It does not go out, is not recorded, and the reason tells the kind only."""
    one = exchange(searched=True)
    assert heard(one, "all fine", from_client=True) == ["all fine"]
    assert heard(one, f"card {CARD}", "more", from_client=True) == []
    assert one.ended is not None
    assert (one.ended.code, one.ended.why) == (POLICY, "protected data in a message: CREDIT_CARD=1")
    assert [each.content for each in one.dialogue.messages] == [b"kept all fine"]
    assert one.summary()["found"] == "CREDIT_CARD=1"


@pytest.mark.parametrize(
    "parts",
    [(CARD[:9], CARD[9:]), ("card 41", "11 1111 1111", " 1111."), ("x" * 600 + " 4111111", "111111111 " + "y" * 600)],
)
def test_protected_data_over_several_messages_ends_the_exchange(parts: tuple[str, ...]) -> None:
    """With the part that makes it whole: those before it have left."""
    one = exchange(searched=True)
    assert heard(one, *parts, from_client=True) == list(parts[:-1])
    assert one.ended is not None
    assert one.ended.why == "protected data in a message: CREDIT_CARD=1"


def test_messages_that_make_nothing_together_go_on() -> None:
    """Objects after objects, also empty ones."""
    said = ['{"a": 1}', '{"b": "4111"}', "", '{"c": [1111]}', "[]"]
    one = exchange(searched=True)
    assert heard(one, *said, from_client=True) == said
    assert one.ended is None


def test_protected_data_of_the_agent_is_masked_where_the_rule_says_so() -> None:
    """And goes on."""
    one = exchange(searched=True, replaces=True)
    assert heard(one, f'{{"card":"{CARD}"}}', from_client=True) == ['{"card":"<CREDIT_CARD>"}']
    assert one.ended is None


@pytest.mark.parametrize("said", [b"\0\1", "\0"])
def test_what_cannot_be_searched_ends_the_exchange(said: str | bytes) -> None:
    """Also where what is found would be masked."""
    one = exchange(searched=True, replaces=True)
    assert heard(one, said, from_client=True) == []
    assert one.ended is not None


def test_an_agent_cannot_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at once, then so many per second."""
    now = [100.0]
    monkeypatch.setattr(exchanges.time, "monotonic", lambda: now[0])
    rate = Rate(2.0, 3.0)
    assert [rate.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 1.0
    assert [rate.take() for _ in range(2)] == [True, False]
    one = exchange()
    for _ in range(int(BURST) + 1):
        one.receive(b"x", from_client=True, is_text=True)
    assert one.ended is not None


def test_after_its_end_nothing_goes_on() -> None:
    """Not what waited either: who was cut off gets nothing more."""
    one = exchange("pci")
    heard(one, '{"text":"waits"}')
    one.cut("revoked")
    one.cut("another reason")
    one.finish()
    one.flush()
    assert heard(one, "late") == []
    assert one.ended is not None
    assert one.ended.why == one.summary()["cut"] == "revoked"


@given(st.lists(st.tuples(st.booleans(), st.text() | st.binary()), max_size=12))
def test_no_message_raises(messages: list[tuple[bool, str | bytes]]) -> None:
    """Whatever either side says."""
    one = exchange("pci", searched=True, replaces=True)
    for from_client, said in messages:
        content = said.encode("utf-8", "replace") if isinstance(said, str) else said
        one.receive(content, from_client=from_client, is_text=isinstance(said, str))
    one.finish()
    assert all(each.content.decode() is not None for each in one.take() if each.is_text)
