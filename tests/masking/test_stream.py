"""Streams: records go on as soon as they are whole, masked, and however the bytes were cut the result is the same."""

import gzip
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.encodings import Limits
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.profiles import resolve
from masking.stream import Events, KeyGate, Lines, StreamMask

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/streams.yaml").read_text("utf-8"))
KEY_BEGIN, KEY_END = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"


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
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_coded_streams_are_decoded_as_they_come(engine: MaskingEngine, case: dict[str, Any], encoding: str) -> None:
    """What comes out has no coding, and what the upstream flushed goes on at once."""
    body = case["body"].encode()
    whole = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    chunks = [whole[at : at + 3] for at in range(0, len(whole), 3)]
    assert run(opened(engine, case, encoding), chunks).decode() == case["want"]


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
    """However it comes: what cannot be held whole cannot be judged."""
    engine = MaskingEngine(resolve({}), limits=Limits(record=10))
    for chunks in ([b"x" * 11], [b"x" * 6, b"x" * 6], [b"x" * 11 + b"\n"]):
        with pytest.raises(Unmaskable, match="too large"):
            run(engine.open_stream(content_type="text/plain", profiles=("pii",)), chunks)


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
        ("text/plain", "gzip", gzip.compress(b"x" * 100)[:-1]),
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
        ("text/plain", "br"),
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
