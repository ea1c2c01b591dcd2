"""Law: what a command prints is masked line by line, however it was cut; a prompt may be seen before its line ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.terminal import TerminalMask

CARD, MAIL = "4111 1111 1111 1111", "jane.doe@example.com"
PROFILES = ("pci", "pii", "secrets")
KEY_BEGIN, KEY_END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
PIECES = [f"card {CARD}", f"mail {MAIL} ", "\n", "\r\n", "gr\u00fc\u00dfe ", "\U0001f512", "\x1b[31m", "\x1b[0m", "$ ", KEY_BEGIN, KEY_END, "4111", " "]  # fmt: skip


def opened(engine: MaskingEngine) -> TerminalMask:
    return engine.open_terminal(profiles=PROFILES)


def run(mask: TerminalMask, chunks: list[bytes]) -> bytes:
    return b"".join(mask.feed(chunk) for chunk in chunks) + mask.end()


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.data())
@settings(deadline=None, max_examples=60)
def test_cuts_make_no_difference(engine: MaskingEngine, pieces: list[str], data: st.DataObject) -> None:
    """Any cuts, also within a letter, give what the whole gives."""
    whole = "".join(pieces).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert run(opened(engine), chunks) == run(opened(engine), [whole])


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.booleans()), max_size=12))
@settings(deadline=None, max_examples=60)
def test_showing_a_line_early_shows_nothing_twice_and_no_more(
    engine: MaskingEngine, pieces: list[tuple[str, bool]]
) -> None:
    """Where nothing is to be hidden, flushing changes nothing but the time."""
    plain = [
        (piece, early) for piece, early in pieces if piece not in (PIECES[0], PIECES[1], KEY_BEGIN, KEY_END, "4111")
    ]
    mask, shown = opened(engine), b""
    for piece, early in plain:
        shown += mask.feed(piece.encode()) + (mask.flush() if early else b"")
    assert shown + mask.end() == "".join(piece for piece, _ in plain).encode()


def test_a_prompt_is_shown(engine: MaskingEngine) -> None:
    """It has no line end, and somebody waits for it."""
    mask = opened(engine)
    assert mask.feed(b"login: ") == b""
    assert mask.flush() == b"login: "
    assert mask.flush() == b""
    assert mask.feed(b"jane\n") == b"jane\n"


def test_what_was_shown_early_is_context_of_what_follows(engine: MaskingEngine) -> None:
    """The rest of a value is hidden although its beginning was shown."""
    mask = opened(engine)
    mask.feed(b"card 411")
    assert mask.flush() == b"card 411"
    shown = mask.feed(b"1 1111 1111 1111 end\n")
    assert b"1111" not in shown
    assert shown.endswith(b" end\n")
    assert mask.counts["CREDIT_CARD"] == 1


@pytest.mark.parametrize(
    ("begun", "shown"),
    [("card 4111 11", "card "), ("key AKIAIOSFODNN7", "key "), ("red\x1b[3", "red"), ("\x1b]0;title", "")],
)
def test_half_of_something_is_waited_for(engine: MaskingEngine, begun: str, shown: str) -> None:
    """A number, a key, an escape sequence."""
    mask = opened(engine)
    mask.feed(begun.encode())
    assert mask.flush() == shown.encode()


def test_half_of_a_letter_is_waited_for(engine: MaskingEngine) -> None:
    """UTF-8 is cut anywhere."""
    mask = opened(engine)
    mask.feed("gr\u00fc".encode()[:-1])
    assert mask.flush() == b"gr"
    mask.feed("\u00fc".encode()[-1:])
    assert mask.flush() == "\u00fc".encode()


def test_colours_do_not_hide_a_value(engine: MaskingEngine) -> None:
    """As in the output of grep."""
    coloured = f"mail \x1b[01;31m{MAIL}\x1b[0m, card 4111 \x1b[1m1111 1111\x1b[0m 1111\n"
    shown = run(opened(engine), [coloured.encode()])
    assert b"jane" not in shown
    assert b"1111 1111" not in shown
    assert b"\x1b[01;31m" in shown


def test_a_key_over_many_lines_is_hidden(engine: MaskingEngine) -> None:
    """From its beginning to its end, also for who waits."""
    mask = opened(engine)
    shown = mask.feed(f"{KEY_BEGIN}\nMIIEvQIBADAN\n".encode()) + mask.flush()
    shown += mask.feed(b"half a line") + mask.flush()
    shown += mask.feed(f"\n{KEY_END}\nafter\n".encode())
    assert b"MIIE" not in shown
    assert b"half" not in shown
    assert shown.endswith(b"after\n")


@pytest.mark.parametrize("data", [b"\x7fELF\0", b"a\0b", b"\xff\xfe\n", b"\x1f\x8b\x08 gzip\n", b"PK\x03\x04\n"])
def test_what_is_not_text_is_refused(engine: MaskingEngine, data: bytes) -> None:
    """And nothing of it is given on, unless a rule says that it may."""
    mask = opened(engine)
    with pytest.raises(Unmaskable):
        run(mask, [data])
    assert mask.surrender() == data


def test_what_may_pass_is_given_once(engine: MaskingEngine) -> None:
    """What was shown already does not come again; whole lines before stay masked."""
    mask = opened(engine)
    mask.feed(b"a prompt: ")
    assert mask.flush() == b"a prompt: "
    with pytest.raises(Unmaskable):
        mask.feed(f"x\ncard {CARD}\n\xff\n".encode("latin-1"))
    rest = mask.surrender()
    assert rest.startswith(b"x\n")
    assert rest.endswith(b"\xff\n")
    assert CARD.encode() not in rest


def test_a_line_has_a_longest_length(engine: MaskingEngine) -> None:
    """It could not be judged."""
    mask = opened(engine)
    with pytest.raises(Unmaskable):
        run(mask, [b"x" * 65536] * 40)


@pytest.mark.parametrize(
    ("value", "shown"), [(CARD, "411"), (MAIL, "jane.doe"), ("4111 \x1b[1m1111 1111 1111", "411"), ("a@b.com", "a")]
)
def test_a_value_that_comes_letter_by_letter_is_hidden(engine: MaskingEngine, value: str, shown: str) -> None:
    """With a pause after each: no more is shown than does not look like anything yet."""
    mask, seen = opened(engine), b""
    for letter in value:
        seen += mask.feed(letter.encode()) + mask.flush()
    assert seen == shown.encode()
    assert value.encode()[-4:] not in mask.feed(b"\n")


def test_a_screen_that_ends_no_line_does_not_pile_up(engine: MaskingEngine) -> None:
    """An editor's: what was shown is forgotten but for some context, and what follows is still masked."""
    mask = opened(engine)
    for number in range(400):
        assert mask.feed(b"\x1b[%dH some words of a screen \r" % number) + mask.flush()
    assert mask.held < 20_000
    assert b"jane.doe@" not in mask.feed(f"mail {MAIL}\n".encode())


def test_a_key_in_what_was_forgotten_stays_hidden(engine: MaskingEngine) -> None:
    """Its beginning is far behind; its end has not come."""
    mask = opened(engine)
    shown = mask.feed(b"words " * 2000 + KEY_BEGIN.encode() + b" ") + mask.flush()
    for _ in range(400):
        shown += mask.feed(b"MIIEvQ IBADAN \r ") + mask.flush()
    shown += mask.feed(b"\nMIIEvQIB\n") + mask.flush()
    assert b"MIIE" not in shown


@pytest.mark.parametrize(
    "text", ["A" * 200_000 + "!", "1 " * 100_000 + "!", "\x1b[m" + "\x9d" * 100_000, "\x1b]" * 50_000]
)
def test_no_text_takes_long(text: str) -> None:
    """Each was quadratic once: hours for a line as long as is allowed. It would end by the suite's own limit."""
    assert TerminalMask(edits=lambda _: [], limit=1 << 20).feed(text.encode()) == b""
    mask = TerminalMask(edits=lambda _: [], limit=1 << 20)
    mask.feed(text.encode())
    shown = mask.flush() + mask.feed(b"\n")
    assert shown == text.encode() + b"\n"


@pytest.mark.parametrize("letters", ["4\b4", "x\b4", "4\u200b", "\u00ad4", "ab\b\b4"])
def test_what_a_reader_does_not_see_hides_no_value(engine: MaskingEngine, letters: str) -> None:
    """Overstruck letters, and such as have no width."""
    number = "".join(letters.replace("4", digit) for digit in CARD)
    shown = run(opened(engine), [f"card {number} end\n".encode()])
    assert b"<CREDIT_CARD>" in shown
    assert shown.endswith(b" end\n")


@given(st.lists(st.sampled_from([*PIECES, "phone ", "212-555-5555", '{"token":"abc1"}', "a\n", "b c\n"]), max_size=30))
@settings(deadline=None, max_examples=60)
def test_lines_that_come_together_become_what_each_becomes(engine: MaskingEngine, pieces: list[str]) -> None:
    """Looking at many at once changes nothing: a word in one line makes nothing in another one surer."""
    whole = "".join(pieces).encode()
    lines = whole.splitlines(keepends=True) if b"\r" not in whole else [line + b"\n" for line in whole.split(b"\n")]
    one, other = opened(engine), opened(engine)
    if b"\r" in whole:
        lines[-1] = lines[-1][:-1]
    assert run(one, lines) == run(other, [whole])
    assert one.counts == other.counts
