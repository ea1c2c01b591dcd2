"""Law: what the records of a stream say one after the other is masked as the one text that it is, however it is cut."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.growing import Growing
from masking.pieces import of_line
from masking.stream import StreamMask

PROFILES = ("pci", "pii", "secrets")
BEGIN, END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
TEXTS = [
    "The card is 4111 1111 1111 1111, thanks.",
    "card 4111-1111-1111-1111 and 4111111111111111",
    "Write to jane.doe@example.com or \u00e9milie@example.org!",
    "my phone is 212-555-5555, the IBAN DE89 3704 0044 0532 0130 00.",
    'SSN 219-09-9998\nand "quoted" \\ text',
    f"a key:\n{BEGIN}\nMIIEowIBAAKCAQEA\nabc+/=\n{END}\nafter it",
    "token ghp_" + "a1B2" * 9 + " end",
    "password: hunter2hunter and nothing else",
    "no secrets here, 42 times, in 2024",
]

type Wrap = Callable[[str], bytes]
type Said = Callable[[bytes], str]


def openai(piece: str) -> bytes:
    event = {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}],
    }
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def anthropic(piece: str) -> bytes:
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
    return b"event: content_block_delta\ndata: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def responses(piece: str) -> bytes:
    event = {
        "type": "response.output_text.delta",
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
        "delta": piece,
    }
    return b"data: " + json.dumps(event).encode() + b"\r\n\r\n"


def ollama(piece: str) -> bytes:
    return (
        json.dumps({"model": "m", "message": {"role": "assistant", "content": piece}, "done": False}).encode() + b"\n"
    )


SSE, NDJSON = "text/event-stream", "application/x-ndjson"
SHAPES: dict[str, tuple[str, Wrap]] = {
    "openai": (SSE, openai),
    "anthropic": (SSE, anthropic),
    "responses": (SSE, responses),
    "ollama": (NDJSON, ollama),
}


def opened(engine: MaskingEngine, content_type: str, profiles: tuple[str, ...] = PROFILES) -> StreamMask:
    return engine.open_stream(content_type=content_type, profiles=profiles)


def said(stream: bytes) -> str:
    """What a client puts together."""
    return "".join(_texts(stream))


def _texts(stream: bytes) -> Iterator[str]:
    for line in stream.decode().splitlines():
        body = line.removeprefix("data: ")
        if body.startswith("{"):
            yield from _strings(json.loads(body))


def _strings(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, name)
    elif isinstance(value, str) and name in ("content", "text", "delta"):
        yield value


def run(mask: StreamMask, events: list[bytes]) -> bytes:
    return b"".join(mask.feed(event) for event in events) + mask.end()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_cut_gives_what_the_whole_gives(engine: MaskingEngine, shape: str, text: str) -> None:
    """In two pieces cut anywhere, in single letters, in words: what is read equals the mask of the whole text."""
    content_type, wrap = SHAPES[shape]
    want, _ = engine.mask_text(text, profiles=PROFILES)
    cuts = [[text[:at], text[at:]] for at in range(len(text) + 1)]
    for pieces in [*cuts, list(text), text.replace(" ", "\0 ").split("\0")]:
        events = [wrap(piece) for piece in pieces]
        mask = opened(engine, content_type)
        shown = run(mask, events)
        assert said(shown) == want
        assert shown.count(b"\n") == b"".join(events).count(b"\n")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*TEXTS, " ", "4111 11", "1", "@", "x"]), max_size=4),
    st.lists(st.integers(0, 300), max_size=12),
    st.sampled_from(sorted(SHAPES)),
)
def test_random_pieces_show_no_more_than_the_whole(
    engine: MaskingEngine, parts: list[str], cuts: list[int], shape: str
) -> None:
    """Also for texts that nobody thought of."""
    text, (content_type, wrap) = " ".join(parts), SHAPES[shape]
    places = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    shown = said(run(opened(engine, content_type), [wrap(piece) for piece in pieces]))
    assert not any(value in shown for value in ("1111 1111", "11111111", "jane.doe@", "219-09", "MIIE", "hunter2"))


def test_an_event_waits_for_the_next_word_only(engine: MaskingEngine) -> None:
    """Order and latency stay: one event behind."""
    mask = opened(engine, SSE)
    assert mask.feed(openai("Hello")) == b""
    assert mask.feed(b": ping\n\n") == b""
    assert mask.feed(openai(" world")) == openai("Hello") + b": ping\n\n"
    assert mask.waits
    assert mask.feed(b"data: [DONE]\n\n") == openai(" world") + b"data: [DONE]\n\n"
    assert not mask.waits


def test_texts_that_grow_beside_each_other_are_told_apart(engine: MaskingEngine) -> None:
    """By their index: what one says does not hide or show what the other says."""

    def choice(index: int, piece: str) -> bytes:
        return b"data: " + json.dumps({"choices": [{"index": index, "delta": {"content": piece}}]}).encode() + b"\n\n"

    events = [choice(0, "card 4111 11"), choice(1, "note 99 "), choice(0, "11 1111 1111 ok"), choice(1, "is fine")]
    shown = run(opened(engine, SSE), events).decode()
    assert "1111" not in shown
    assert "<CREDIT_CARD>" in shown
    assert "note 99 " in shown
    assert "is fine" in shown


def test_a_value_over_many_events_counts_once(engine: MaskingEngine) -> None:
    """And its replacement stands where it began."""
    mask = opened(engine, SSE)
    shown = run(mask, [anthropic(piece) for piece in ("to jane", ".doe@", "exam", "ple.com", " now")])
    assert said(shown) == "to <EMAIL_ADDRESS> now"
    assert mask.counts == {"EMAIL_ADDRESS": 1}


def test_arguments_of_a_tool_are_texts_too(engine: MaskingEngine) -> None:
    """As OpenAI and Anthropic stream them: JSON in pieces of strings."""
    for wrap in (
        lambda piece: {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}]},
        lambda piece: {"type": "content_block_delta", "index": 1, "delta": {"partial_json": piece}},
    ):
        pieces = ['{"ca', 'rd": "4111 1', "111 11", '11 1111", "pass', 'word": "hun', 'ter2xyz"}']
        events = [b"data: " + json.dumps(wrap(piece)).encode() + b"\n\n" for piece in pieces]
        shown = run(opened(engine, SSE), events)
        assert b"1111" not in shown
        assert b"4111" not in shown
        assert b"ter2" not in shown


def test_escapes_stay_escapes(engine: MaskingEngine) -> None:
    """Bytes that are not replaced are those that came."""
    raw = b'data: {"text":"caf\\u00e9 \\"x\\" a\\u0040"}\n\ndata: {"text":"example.com \\/ \\ud83d\\ude00"}\n\n'
    shown = run(opened(engine, SSE), [raw])
    assert shown == b'data: {"text":"caf\\u00e9 \\"x\\" <EMAIL_ADDRESS>"}\n\ndata: {"text":" \\/ \\ud83d\\ude00"}\n\n'


@pytest.mark.parametrize(
    ("content_type", "record"),
    [
        (SSE, b'data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"order 12345"}]}}\n\n'),
        (NDJSON, b'{"type":"ADDED","object":{"kind":"ConfigMap","data":{"content":"port 8080"}}}\n'),
        (SSE, b"data: plain 4111\n\n"),
        (SSE, b'data: {"name":"half of a word"}\n\n'),
        (NDJSON, b'{"text":"ends with a stop. "}\n'),
    ],
)
def test_whole_records_do_not_wait(engine: MaskingEngine, content_type: str, record: bytes) -> None:
    """An answer to a call, a watch event: somebody waits for it, and nothing continues it."""
    assert opened(engine, content_type, ("pci",)).feed(record) == record


def test_after_a_pause_what_looks_like_nothing_is_shown(engine: MaskingEngine) -> None:
    """After a long one everything; what follows is still judged with it."""
    mask = opened(engine, SSE)
    assert mask.feed(openai("a word")) == b""
    assert mask.flush(patient=True) == openai("a word")
    assert mask.feed(openai(" card 4111 11")) == b""
    assert mask.flush(patient=True) == b""
    assert mask.flush(patient=False) == openai(" card 4111 11")
    shown = said(mask.feed(openai("11 1111 1111 x ")) + mask.end())
    assert "1111" not in shown
    assert mask.counts == {"CREDIT_CARD": 1}


def test_a_key_that_was_cut_by_a_pause_stays_hidden(engine: MaskingEngine) -> None:
    """What follows its beginning belongs to it, however long the pause."""
    mask = opened(engine, SSE)
    shown = mask.feed(openai(f"{BEGIN}\nMIIEow")) + mask.flush(patient=False)
    for _ in range(200):
        shown += mask.feed(openai("IBAAKCAQEA\n")) + mask.flush(patient=False)
    shown += mask.feed(openai(f"{END} done. ")) + mask.end()
    assert said(shown).split() == ["<PRIVATE_KEY>", "done."]


def fed(growing: Growing, records: list[str]) -> int:
    """How many of them went on."""
    return sum(len(list(growing.feed(record, "", []))) for record in records)


def test_waiting_is_bounded(engine: MaskingEngine) -> None:
    """A text that never gives a place to cut is refused, not kept for ever and not shown."""
    with pytest.raises(Unmaskable, match="place"):
        run(opened(engine, SSE), [openai("x" * 100)] * 3000)
    with pytest.raises(Unmaskable, match="waits"):
        fed(Growing(lambda _: [], of_line, limit=1000), ['{"text":"x"}' + " " * 50] * 100)


def test_too_many_texts_are_refused() -> None:
    """Each costs memory; those that wait for nothing are forgotten."""
    growing = Growing(lambda _: [], of_line, limit=1 << 20)
    assert fed(growing, [f'{{"index":{number},"text":"a. "}}' for number in range(1000)]) == 1000
    with pytest.raises(Unmaskable, match="too many"):
        fed(growing, [f'{{"index":{number},"text":"a"}}' for number in range(1000)])


def test_long_texts_and_lists_are_no_trouble(engine: MaskingEngine) -> None:
    """One that is longer than may be waited for, and a list of more than could be told apart."""
    long = json.dumps({"text": "words and jane.doe@example.com " * 5000}).encode() + b"\n"
    hits = json.dumps({"hits": [{"text": f"mail a{at}@example.com"} for at in range(500)]}).encode() + b"\n"
    mask = opened(engine, NDJSON, ("pii",))
    shown = mask.feed(long) + mask.feed(hits) + mask.end()
    assert b"@example" not in shown
    assert mask.counts == {"EMAIL_ADDRESS": 5500}
