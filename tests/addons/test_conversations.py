"""Law: each side says only what is its own to say; what goes on is masked, in order, and recorded as it went on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.conversations import POLICY, Forwarding, Session, Shape
from addons.input_search import InputSearch
from addons.output_channels import OutputChannel
from masking.engine import MaskingEngine
from masking.literals import Literals
from masking.profiles import resolve

CARD = b"4111 1111 1111 1111"
SECRET = b"cluster-credential-81c4be"
ENGINE = MaskingEngine(resolve({}), key=b"k" * 32)


def output(*profiles: str, on_unmaskable: str = "block") -> OutputChannel:
    mask = ENGINE.open_terminal(profiles=profiles) if profiles else None
    return OutputChannel(mask=mask, literals=Literals([SECRET]), on_unmaskable=on_unmaskable)


def session(*profiles: str, stdin: bool = True, tty: bool = False, v5: bool = True, **more: str) -> Session:
    return Session(
        Shape(stdin=stdin, tty=tty, closes=v5),
        {1: output(*profiles, **more), 2: output(*profiles, **more)},
        tell=lambda text: text.replace("jane", "***"),
        typed=ENGINE.open_input(profiles=("pci",), tty=tty),
    )


def sent(each: Session | Forwarding) -> list[tuple[bool, bytes]]:
    return [(outgoing.to_client, outgoing.content) for outgoing in each.take()]


def said(each: Session) -> list[tuple[bool, bytes]]:
    return [(message.from_client, message.content) for message in each.dialogue.messages]


def test_the_servers_greeting_passes() -> None:
    """An empty message says that the session runs."""
    one = session("pci")
    one.receive(b"\1", from_client=False)
    assert sent(one) == [(True, b"\1")]


def test_output_is_masked_line_by_line() -> None:
    """stdout and stderr do not mix; what is recorded is what went on."""
    one = session("pci")
    one.receive(b"\x01card 4111 1111", from_client=False)
    one.receive(b"\x02error\n", from_client=False)
    one.receive(b"\x01 1111 1111\n", from_client=False)
    went = sent(one)
    assert went[0] == (True, b"\x02error\n")
    assert went[1][1].startswith(b"\x01card <")
    assert said(one) == [(False, content) for _, content in went]
    assert one.counts() == {"CREDIT_CARD": 1}


def test_without_a_mask_bytes_pass_unchanged_but_for_the_credential() -> None:
    """Archives too; the gateway's own credential never."""
    one = session()
    one.receive(b"\1\0\xff" + SECRET[:9], from_client=False)
    one.receive(b"\1" + SECRET[9:] + b"\0", from_client=False)
    assert b"".join(content[1:] for _, content in sent(one)) == b"\0\xff***\0"


def test_the_final_status_comes_after_everything() -> None:
    """What was held back goes first; the server's own words are masked, and nothing else of it passes."""
    one = session("pci")
    one.receive(b"\x01no line end", from_client=False)
    status = {
        "status": "Failure", "message": "jane failed", "reason": "NonZeroExitCode", "x": "jane",
        "details": {"causes": [{"reason": "ExitCode", "message": "3", "y": "jane"}], "z": 1},
    }  # fmt: skip
    one.receive(b"\3" + json.dumps(status).encode(), from_client=False)
    first, last = sent(one)
    assert first == (True, b"\x01no line end")
    told = json.loads(last[1][1:])
    assert told["message"] == "*** failed"
    assert told["details"] == {"causes": [{"reason": "ExitCode", "message": "3"}]}
    assert "x" not in told
    assert one.summary() == {"stdin": 0, "stdout": 11, "stderr": 0, "exit": 3}
    assert one.ended is None


@pytest.mark.parametrize("status", [b"{", b"[]", b"1" * 70_000, b"\xff", b"[" * 5000])
def test_a_status_that_cannot_be_read_ends_the_session(status: bytes) -> None:
    """It could hold anything."""
    one = session()
    one.receive(b"\3" + status, from_client=False)
    assert one.ended is not None


def test_stdin_goes_on_as_it_is_and_is_recorded_masked() -> None:
    """Line by line."""
    one = session()
    one.receive(b"\0card " + CARD, from_client=True)
    one.receive(b"\0 x\n", from_client=True)
    assert sent(one) == [(False, b"\0card " + CARD), (False, b"\0 x\n")]
    (recorded,) = said(one)
    assert recorded[0]
    assert CARD not in recorded[1]


def test_stdin_that_is_not_text_hides_nothing_from_the_record() -> None:
    """An archive's first bytes, a NUL, a byte that is no UTF-8: what follows them is kept, masked."""
    one = session()
    for content in (b"\0\x1f\x8b\0\0", b"\0\xff", b"\0\nrm -rf /data\ncard " + b"\0".join(CARD.split()) + b"\n"):
        one.receive(content, from_client=True)
    one.finish()
    kept = b"".join(content[1:] for _, content in said(one))
    assert b"rm -rf /data\n" in kept
    assert b"1111" not in kept


def test_sizes_are_written_anew() -> None:
    """Only whole numbers, only where there is a terminal."""
    one = session(tty=True)
    one.receive(b'\4{"Width": 80, "Height": 24, "note": "x"}', from_client=True)
    for wrong in (b"{}", b"x", b'{"Width": "80", "Height": 24}', b'{"Width": -1, "Height": 24}', b"[]", b" " * 300):
        one.receive(b"\4" + wrong, from_client=True)
    assert sent(one) == [(False, b'\4{"Width":80,"Height":24}')]
    without = session()
    without.receive(b'\4{"Width":80,"Height":24}', from_client=True)
    assert not sent(without)
    assert without.ended is None


def test_channels_are_closed_in_v5_only() -> None:
    """The client's stdin; the server's, after what was held back."""
    one = session("pci")
    one.receive(b"\1tail", from_client=False)
    one.receive(b"\xff\1", from_client=False)
    one.receive(b"\xff\0", from_client=True)
    assert sent(one) == [(True, b"\1tail"), (True, b"\xff\1"), (False, b"\xff\0")]
    older = session(v5=False)
    older.receive(b"\xff\0", from_client=True)
    assert not sent(older)


FORBIDDEN = [(b"\1x", True), (b"\3{}", True), (b"\5x", True), (b"", True), (b"\0x", False), (b"\4{}", False),
             (b"\xff\7", False), (b"", False)]  # fmt: skip


@pytest.mark.parametrize(("content", "from_client"), FORBIDDEN)
def test_what_is_not_its_sides_ends_the_session(content: bytes, from_client: bool) -> None:
    """The agent is told why on the status channel; nothing goes to the other side."""
    one = session()
    one.receive(content, from_client=from_client)
    assert one.ended is not None
    assert one.ended.code == POLICY
    ((to_client, told),) = sent(one)
    assert to_client
    assert json.loads(told[1:])["message"] == f"gatehold: {one.ended.why}"
    one.receive(b"\0more", from_client=True)
    one.receive(b"\1more", from_client=False)
    assert not sent(one)


def test_stdin_that_was_not_asked_for_ends_the_session() -> None:
    """Nobody judged that something would be typed."""
    one = session(stdin=False)
    one.receive(b"\0", from_client=True)
    assert one.ended is None
    one.receive(b"\0id\n", from_client=True)
    assert one.ended is not None


def test_output_that_cannot_be_masked_is_withheld() -> None:
    """And the session ends, unless the rule says otherwise."""
    blocked = session("pci")
    blocked.receive(b"\1ustar\0" + CARD, from_client=False)
    assert blocked.ended is not None
    assert not any(CARD in content for _, content in sent(blocked))
    passed = session("pci", on_unmaskable="pass")
    passed.receive(b"\1ustar\0", from_client=False)
    passed.receive(b"\1\0more", from_client=False)
    assert sent(passed) == [(True, b"\1ustar\0"), (True, b"\1\0more")]
    dropped = session("pci", on_unmaskable="drop")
    dropped.receive(b"\1ustar\0", from_client=False)
    dropped.receive(b"\1more\n", from_client=False)
    dropped.receive(b"\2error\n", from_client=False)
    assert sent(dropped) == [(True, b"\2error\n")]


def test_a_prompt_is_given_on_when_nothing_comes() -> None:
    """Only where somebody types."""
    one = session("pci")
    one.receive(b"\1login: ", from_client=False)
    assert not sent(one)
    assert one.may_flush
    one.flush()
    assert sent(one) == [(True, b"\1login: ")]
    assert not session("pci", stdin=False).may_flush


def test_a_cut_is_told_once() -> None:
    """Whoever cuts first says why."""
    one = session("pci")
    one.receive(b"\1held", from_client=False)
    one.cut("the token has expired")
    one.cut("another reason")
    one.flush()
    one.finish()
    ((_, told),) = sent(one)
    assert json.loads(told[1:])["message"] == "gatehold: the token has expired"
    assert one.summary()["cut"] == "the token has expired"


def test_a_forwarding_is_counted_and_not_kept() -> None:
    """Opaque."""
    one = Forwarding()
    one.receive(b"abc", from_client=True)
    one.receive(b"defgh", from_client=False)
    assert sent(one) == [(False, b"abc"), (True, b"defgh")]
    one.cut("enough")
    one.receive(b"more", from_client=True)
    assert not sent(one)
    assert one.summary() == {"sent": 3, "received": 5, "cut": "enough"}
    assert not one.dialogue.messages


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=20))
def test_no_message_raises(messages: list[tuple[bool, bytes]]) -> None:
    """Whatever either side says; and what the agent may not say never goes to the server."""
    one = session("pci", tty=True)
    for from_client, content in messages:
        one.receive(content, from_client=from_client)
    one.finish()
    for to_client, content in sent(one):
        assert content[0] in ((1, 2, 3, 255) if to_client else (0, 4, 255))


def searched(*, replaces: bool = False) -> Session:
    return Session(
        Shape(stdin=True, tty=False, closes=True),
        {1: output(), 2: output()},
        tell=str,
        typed=ENGINE.open_input(profiles=("pci",), tty=False),
        search=InputSearch(ENGINE.open_terminal(profiles=("pci",)), replaces=replaces),
    )


def test_input_that_is_searched_goes_on_in_lines() -> None:
    """What has no end is searched when stdin is closed, and goes on before that."""
    one = searched()
    one.receive(b"\0echo a", from_client=True)
    assert sent(one) == []
    assert one.held >= 6
    one.receive(b"\0b\nls", from_client=True)
    one.receive(b"\xff\0", from_client=True)
    assert sent(one) == [(False, b"\0echo ab\n"), (False, b"\0ls"), (False, b"\xff\0")]
    assert "found" not in one.summary()


@pytest.mark.parametrize("end", [b"\0\n", b"\xff\0"])
def test_protected_data_in_the_input_ends_the_session(end: bytes) -> None:
    """Whole or not, nothing of its line goes on; the reason and the record show no value."""
    one = searched()
    one.receive(b"\0echo " + CARD, from_client=True)
    one.receive(end, from_client=True)
    assert not [content for to_client, content in sent(one) if not to_client]
    assert one.ended is not None
    assert one.ended.code == POLICY
    assert one.ended.why == "protected data in the input: CREDIT_CARD=1"
    one.finish()
    assert one.summary()["found"] == "CREDIT_CARD=1"
    assert not [content for _, content in said(one) if CARD in content]


def test_protected_data_in_the_input_may_be_masked() -> None:
    """Where the rule says so."""
    one = searched(replaces=True)
    one.receive(b"\0echo " + CARD + b"\n", from_client=True)
    assert sent(one) == [(False, b"\0echo <CREDIT_CARD>\n")]
