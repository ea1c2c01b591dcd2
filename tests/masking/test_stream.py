"""Streams: records go on as soon as they are whole, masked, and however the bytes were cut the result is the same."""

import gzip
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import yaml
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import windows
from masking.encodings import Limits
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.profiles import resolve
from masking.stream import Events, KeyGate, Lines, StreamMask

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/streams.yaml").read_text("utf-8"))
KEY_BEGIN, KEY_END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
CODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
SHAPES: dict[str, tuple[str, bytes]] = {
    "events": (
        "text/event-stream",
        b'data: {"delta":"my card 4111 11"}\n\ndata: {"delta":"11 1111 1111, a@exam"}\n\ndata: {"delta":"ple.com. "}\n\n',
    ),
    "ndjson": ("application/x-ndjson", b'{"mail":"a@example.com"}\n\n{"password":"hunter2"}\n{"n":1}\n'),
    "watch": ("application/json;stream=watch", b'{"type":"ADDED","object":{"mail":"a@example.com"}}\n' * 2),
    "log": (
        "text/plain; charset=utf-8",
        f"caf\u00e9 a@example.com\n{KEY_BEGIN}\nMIIEow\n{KEY_END}\ncard 4111 1111 1111 1111".encode(),
    ),
    "latin": ("text/plain; charset=latin-1", "caf\u00e9 a@example.com \u00e9\n".encode("latin-1") * 3),
    "joined": (
        "text/plain",
        b'note {\n "password":\n  "hunter2"\n}\npassword: |\n  hunter2\n\n  hunter2\nmail: a@example.com\n[\n',
    ),
}
LINES = ['{"password":"abc12"}\n', 'x {y} {"token":"bcd"} \n', "plain\n", "card 4111 1111 1111 1111\n", "[1,2] foo\n",
         "a@example.com\n", 'fn({"api_key":"zzz1"});\n', "password=hunter2x\n", "phone 212-555-0100\n", '{"a":[1,\n',
         '"password":"abc"}\n', "caf\u00e9 \n", "tail ) } ]\n", "Authorization: Bearer abcdef123456\n", "\x1b[31mred\n",
         "secret: |\n", "  abc\n", "\n", f"{KEY_BEGIN}\n", f"{KEY_END}\n", "<b>bold</b>\n"]  # fmt: skip


def opened(engine: MaskingEngine, case: dict[str, Any], encoding: str = "") -> StreamMask:
    return engine.open_stream(
        content_type=case["contentType"], content_encoding=encoding, profiles=tuple(case["profiles"])
    )


def run(stream: StreamMask, chunks: list[bytes]) -> bytes:
    return b"".join(stream.feed(chunk) for chunk in chunks) + stream.end()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden_whole(engine: MaskingEngine, case: dict[str, Any]) -> None:
    """Each stream becomes what stands beside it."""
    stream = opened(engine, case)
    assert run(stream, [case["body"].encode()]).decode() == case["want"]
    assert stream.counts == case["counts"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_cut_at_every_byte_gives_the_same(engine: MaskingEngine, case: dict[str, Any]) -> None:
    """Two chunks cut anywhere, and one chunk per byte, give what one chunk gives."""
    body = case["body"].encode()
    for cut in range(len(body) + 1):
        assert run(opened(engine, case), [body[:cut], body[cut:]]).decode() == case["want"]
    assert run(opened(engine, case), [body[at : at + 1] for at in range(len(body))]).decode() == case["want"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("encoding", CODED)
def test_coded_streams_are_decoded_as_they_come(engine: MaskingEngine, case: dict[str, Any], encoding: str) -> None:
    """What comes out has no coding, wherever the coded bytes are cut."""
    whole = CODED[encoding](case["body"].encode())
    for size in (1, 3):
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert run(opened(engine, case, encoding), chunks).decode() == case["want"]
    for cut in range(len(whole) + 1):
        assert run(opened(engine, case, encoding), [whole[:cut], whole[cut:]]).decode() == case["want"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", CODED)
def test_coded_streams_of_every_shape_are_cut_anywhere(engine: MaskingEngine, shape: str, encoding: str) -> None:
    """Of growing texts, keys over many lines, lines that belong together; a torn end is refused at every length."""
    content_type, body = SHAPES[shape]

    def stream(coding: str) -> StreamMask:
        return engine.open_stream(
            content_type=content_type,
            content_encoding=coding,
            profiles=("pii", "pci", "secrets"),
            joined=shape == "joined",
        )

    want, whole = run(stream(""), [body]), CODED[encoding](body)
    for planted in (b"4111", b"a@example.com", b"hunter2", b"MIIE"):
        assert planted not in want
    for cut in range(len(whole)):
        assert run(stream(encoding), [whole[:cut], whole[cut:]]) == want
        if cut:
            with pytest.raises(Unmaskable):
                run(stream(encoding), [whole[:cut]])


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15)
@given(data=st.data())
def test_coded_streams_are_cut_many_times(engine: MaskingEngine, shape: str, data: st.DataObject) -> None:
    """In any coding, in any number of pieces, some of them empty."""
    content_type, body = SHAPES[shape]
    encoding = data.draw(st.sampled_from(sorted(CODED)))
    whole = CODED[encoding](body)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    made = [
        engine.open_stream(
            content_type=content_type,
            content_encoding=coding,
            profiles=("pii", "pci", "secrets"),
            joined=shape == "joined",
        )
        for coding in ("", encoding)
    ]
    assert run(made[1], chunks) == run(made[0], [body])
    assert made[0].counts == made[1].counts


@settings(max_examples=60)
@given(st.lists(st.sampled_from(LINES), max_size=24), st.integers(0, 2**16))
def test_lines_that_come_together_become_what_they_become_alone(
    engine: MaskingEngine, lines: list[str], seed: int
) -> None:
    """Looking at many of them at once saves time, and shows nothing."""
    body, profiles = "".join(["first\n", *lines]).encode(), ("pii", "pci", "secrets")
    randomly = random.Random(seed)
    cuts = sorted(randomly.randrange(len(body) + 1) for _ in range(3))
    for joined in (False, True):
        made = [engine.open_stream(content_type="text/plain", profiles=profiles, joined=joined) for _ in range(3)]
        alone = run(made[0], body.splitlines(keepends=True))
        assert run(made[1], [body]) == alone
        assert run(made[2], [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]) == alone
        assert made[0].counts == made[1].counts == made[2].counts


def test_flushed_records_do_not_wait(engine: MaskingEngine) -> None:
    """A watch over gzip shows each event when it happens."""
    case = {"contentType": "application/json;stream=watch", "profiles": ["pii"]}
    stream, coder = opened(engine, case, "gzip"), zlib.compressobj(wbits=31)
    event = coder.compress(b'{"e":"a@example.com"}\n') + coder.flush(zlib.Z_SYNC_FLUSH)
    assert stream.feed(event) == b'{"e":"<EMAIL_ADDRESS>"}\n'


@pytest.mark.parametrize(
    ("content_type", "chunk", "want"),
    [
        ("text/plain", b"a@example.com\nb@exam", b"<EMAIL_ADDRESS>\n"),
        ("application/json", b'{"e":1}\n{"e":', b'{"e":1}\n'),
        ("text/event-stream", b"data: a@example.com\n\ndata: b", b"data: <EMAIL_ADDRESS>\n\n"),
    ],
)
def test_only_whole_records_go_on(engine: MaskingEngine, content_type: str, chunk: bytes, want: bytes) -> None:
    """Nothing of a record leaves before its end is there."""
    assert engine.open_stream(content_type=content_type, profiles=("pii",)).feed(chunk) == want


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([" a@example.com ", "\n", "\r", "\r\n", "data: ", "x", '{"p":"', '"}', ":", "é", KEY_BEGIN, KEY_END]), max_size=12), st.integers(0, 2**16), st.sampled_from(["text/plain", "text/event-stream"]))  # fmt: skip
def test_random_cuts_give_the_same(engine: MaskingEngine, parts: list[str], seed: int, content_type: str) -> None:
    """Also for texts that nobody thought of."""
    body, randomly = "".join(parts).encode(), random.Random(seed)
    case = {"contentType": content_type, "profiles": ["pii", "secrets"]}
    cuts = sorted(randomly.randrange(len(body) + 1) for _ in range(4))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole = run(opened(engine, case), [body])
    assert run(opened(engine, case), chunks) == whole
    assert b"a@example.com" not in whole


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(['{"e":"a@example.com"}', '{"kind":"Secret","data":{"a":"djE="}}', "", "[1]", '"x"']),
        max_size=6,
    )
)
def test_lines_of_json_equal_the_whole_body(engine: MaskingEngine, lines: list[str]) -> None:
    """The same bytes, streamed or not, become the same."""
    body = "".join(line + "\n" for line in lines).encode()
    case = {"contentType": "application/x-ndjson", "profiles": ["pii", "kubernetes"]}
    whole = engine.mask_body(body, content_type="application/x-ndjson", profiles=("pii", "kubernetes"))
    assert run(opened(engine, case), [body]) == whole.body


def test_a_record_over_the_limit_is_refused() -> None:
    """However it comes: an event that cannot be held whole cannot be judged."""
    engine = MaskingEngine(resolve({}), limits=Limits(record=10))
    for chunks in ([b"[1,2,3,4,5]"], [b"[1,2,", b"3,4,5]"], [b"[1,2,3,4,5]\n"], [b"data: 12345"]):
        kind = "text/event-stream" if chunks[0].startswith(b"data") else "application/x-ndjson"
        with pytest.raises(Unmaskable, match="too large"):
            run(engine.open_stream(content_type=kind, profiles=("pii",)), chunks)


LONG = ["words of a line, ", "card 4111 1111 1111 1111; ", "(jane.doe@example.com) ", "caf\u00e9 \U0001f512 ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ "]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(LONG), min_size=20, max_size=40), st.data(), st.sampled_from(["", "gzip"]))
def test_a_line_over_the_limit_becomes_what_the_whole_becomes(
    long_lines: MaskingEngine, parts: list[str], data: st.DataObject, encoding: str
) -> None:
    """In windows, and however it is cut; lines around it too."""
    body = f"first {LONG[2]}\n{''.join(parts) * 30}\nlast {LONG[1]}\n{''.join(parts)}".encode()
    want = long_lines.mask_body(body, content_type="text/plain", profiles=("pii", "pci", "secrets"))
    raw = gzip.compress(body) if encoding else body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    chunks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    case = {"contentType": "text/plain", "profiles": ["pii", "pci", "secrets"]}
    stream = opened(long_lines, case, encoding)
    assert run(stream, chunks) == want.body
    assert stream.counts == want.counts


@pytest.fixture(scope="module")
def long_lines() -> MaskingEngine:
    """An engine for which some pages are a long line."""
    return MaskingEngine(resolve({}), key=b"k" * 32, limits=Limits(record=6000))


def test_a_long_line_is_cut_at_every_byte(long_lines: MaskingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With windows of some words."""
    monkeypatch.setattr(windows, "PIECE", 64)
    monkeypatch.setattr(windows, "LOOKAHEAD", 48)
    monkeypatch.setattr(windows, "CONTEXT", 32)
    body = ("".join(LONG[:4]) * 6).encode()
    case = {"contentType": "text/plain", "profiles": ["pii", "pci"]}
    want = long_lines.mask_body(body, content_type="text/plain", profiles=("pii", "pci"))
    engine = MaskingEngine(resolve({}), key=b"k" * 32, limits=Limits(record=200))
    for cut in range(len(body) + 1):
        assert run(opened(engine, case), [body[:cut], body[cut:]]) == want.body


def test_a_long_line_with_objects_is_refused(long_lines: MaskingEngine) -> None:
    """Their members are hidden for their names, which a window does not show."""
    stream = long_lines.open_stream(content_type="text/plain", profiles=("secrets",))
    with pytest.raises(Unmaskable, match="too large"):
        run(stream, [b"words " * 8000 + b'{"a":"b"}' + b" words" * 8000])


def test_a_value_that_does_not_end_is_not_held_for_ever(long_lines: MaskingEngine) -> None:
    """Nothing of it is shown."""
    stream = long_lines.open_stream(content_type="text/plain", profiles=("secrets",))
    with pytest.raises(Unmaskable, match="does not end"):
        run(stream, [b"x" * 60_000])


def test_text_without_line_ends_is_shown_after_a_pause(engine: MaskingEngine) -> None:
    """As a chat in plain text; half of a value is waited for, and what was shown is context of what follows."""
    stream = engine.open_stream(content_type="text/plain", profiles=("pci", "pii"))
    assert stream.feed("\ufeffHello caf\u00e9, the card 4111 11".encode()) == b""
    assert stream.waits
    assert stream.flush(patient=True) == "\ufeffHello caf\u00e9, the card ".encode()
    assert stream.feed("11 1111 1111 caf\u00e9".encode()[:-1]) == b""
    assert stream.flush(patient=True) == b"<CREDIT_CARD> caf"
    assert stream.feed(b"\xa9 more") == b""
    assert stream.feed(b"\nnext") == "\u00e9 more\n".encode()
    assert stream.end() == b"next"
    assert stream.counts == {"CREDIT_CARD": 1}


def test_json_in_a_log_is_not_shown_before_its_line_ends(engine: MaskingEngine) -> None:
    """Its members are hidden for their names."""
    stream = engine.open_stream(content_type="text/plain", profiles=("secrets",))
    stream.feed(b'INFO {"token":"tok')
    assert stream.flush(patient=True) == stream.flush(patient=False) == b""
    assert stream.feed(b'en-a1"}\n') == b'INFO {"token":"<SECRET>"}\n'


def test_a_key_in_a_log_is_not_shown_after_a_pause(engine: MaskingEngine) -> None:
    """Neither its lines nor the beginning of one."""
    stream = engine.open_stream(content_type="text/plain", profiles=("secrets",))
    shown = stream.feed(f"{KEY_BEGIN}\nMIIEow\nIBAAK".encode()) + stream.flush(patient=True)
    shown += stream.feed(f"CAQEA\n{KEY_END}\nafter".encode()) + stream.flush(patient=True) + stream.end()
    assert shown == b"<PRIVATE_KEY>\nafter"


def test_after_a_refusal_nothing_comes_any_more(engine: MaskingEngine) -> None:
    """A caller that goes on after an error gets errors, not bytes."""
    stream = engine.open_stream(content_type="application/json", profiles=("pii",))
    with pytest.raises(Unmaskable, match="JSON"):
        stream.feed(b"no json\n")
    with pytest.raises(Unmaskable, match="cut"):
        stream.feed(b"{}\n")
    with pytest.raises(Unmaskable, match="cut"):
        stream.end()


@pytest.mark.parametrize(
    ("content_type", "encoding", "body"),
    [
        ("text/plain", "gzip", gzip.compress(b"x" * 100, mtime=0)[:-1]),
        ("text/plain", "gzip", b"no gzip at all"),
        ("text/plain", "", b"\x1f\x8bbinary\n"),
        ("text/plain", "", b"caf\xe9\n"),
        ("text/plain", "", b"a\x00b\n"),
        ("application/json", "", b'{\n "pretty": 1\n}\n'),
        ("application/json", "", b'{"bob@example.com": 1}\n'),
        ("text/event-stream", "", b'data: {"bob@example.com": 1}\n\n'),
    ],
)
def test_what_cannot_be_masked_is_refused(engine: MaskingEngine, content_type: str, encoding: str, body: bytes) -> None:
    """Damaged, binary and contradicting streams end in an error."""
    stream = engine.open_stream(content_type=content_type, content_encoding=encoding, profiles=("pii",))
    with pytest.raises(Unmaskable):
        run(stream, [body])


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("application/vnd.kubernetes.protobuf;stream=watch", ""),
        ("application/cbor-seq", ""),
        ("application/x-www-form-urlencoded", ""),
        ("application/yaml", ""),
        ("text/plain", "compress"),
        ("text/plain; charset=utf-16", ""),
    ],
)
def test_streams_of_other_formats_are_not_opened(engine: MaskingEngine, content_type: str, encoding: str) -> None:
    """It is refused before a byte is read."""
    with pytest.raises(Unmaskable):
        engine.open_stream(content_type=content_type, content_encoding=encoding, profiles=("kubernetes",))


def test_a_key_that_never_ends_is_not_held_for_ever() -> None:
    """What is held back is bounded as well."""
    gate = KeyGate(limit=10)
    gate.note(KEY_BEGIN)
    assert gate.outside("x" * 10) == ""
    with pytest.raises(Unmaskable, match="does not end"):
        gate.outside("x")


def test_framers_keep_every_byte() -> None:
    """Records and the rest, put together, are the stream."""
    for framer in (Lines(), Events()):
        data = b"a\r\n\r\nb\n\n\n\r\rc\r"
        assert b"".join([*framer.feed(data[:4]), *framer.feed(data[4:])]) + framer.rest() == data
        assert framer.held == len(framer.rest())
