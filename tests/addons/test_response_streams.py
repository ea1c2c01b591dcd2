"""Law: a stream is masked as it comes, wherever it is cut; it is never cut short as if it were whole."""

import asyncio
import base64
import gzip
import json
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from mitmproxy import http

from addons import response_streams
from addons.calls import need
from addons.record import PART, Record, Recording
from addons.redact import Redact
from addons.response_streams import LONG_PAUSE, PAUSE, UNRECORDED, ResponseStream, is_stream
from addons.runtime import Runtime
from masking.errors import Unmaskable
from policy.model import MaskObligation, Obligations
from recordings.errors import RecorderUnavailable
from recordings.listing import rows
from recordings.reading import record
from tests.addons.conftest import CREDENTIAL
from tests.addons.support import make_flow, make_request, make_response, sealed

EMAIL = "ada.lovelace@example.com"
EVENTS = {"Content-Type": "text/event-stream"}
CLUSTER = "https://kubernetes.corp.example:6443"

type Passed = Callable[[bytes], bytes | list[bytes]]


def _stream(
    runtime: Runtime, headers: dict[str, str], profiles: tuple[str, ...] = ("pii",), **request: Any
) -> http.HTTPFlow:
    flow = make_flow(make_request(**request))
    call = sealed(runtime, flow, profiles=profiles)
    flow.response = make_response(headers=headers)
    ResponseStream(runtime, Recording(runtime), flow, call).start()
    return flow


def _pass(flow: http.HTTPFlow, chunks: list[bytes]) -> bytes:
    """Every chunk, and the end, as mitmproxy hands them over; ``b""`` in the middle would be the end of the body."""
    assert flow.response is not None
    stream = cast("Passed", flow.response.stream)
    passed = b""
    for chunk in [*chunks, b""]:
        given = stream(chunk)
        assert given != b""
        passed += b"".join(given) if isinstance(given, list) else given
    return passed


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_stream_is_masked_wherever_it_is_cut(runtime: Runtime, size: int, encoding: str) -> None:
    """In any chunks, in any coding; what is kept for the record is what the agent got."""
    whole = b"".join(b"data: user %d is %s\n\n" % (number, EMAIL.encode()) for number in range(20))
    raw = gzip.compress(whole) if encoding else whole
    flow = _stream(runtime, EVENTS | ({"Content-Encoding": encoding} if encoding else {}))
    passed = _pass(flow, [raw[at : at + size] for at in range(0, len(raw), size)])
    assert EMAIL.encode() not in passed
    assert passed.count(b"data: user ") == 20
    call = runtime.call(flow)
    assert bytes(call.kept) == passed
    assert call.answered_bytes == len(passed)
    assert call.masked == {"EMAIL_ADDRESS": 20}


@pytest.mark.parametrize("size", [1, 5, 10_000])
async def test_the_credential_is_taken_out_of_every_stream(runtime: Runtime, size: int) -> None:
    """Masked or not, across the borders of chunks."""
    whole = f"data: {CREDENTIAL}\n\n".encode() * 3
    passed = _pass(_stream(runtime, EVENTS, ()), [whole[at : at + size] for at in range(0, len(whole), size)])
    assert passed == b"data: ***\n\n" * 3


async def test_the_headers_fit_a_stream(runtime: Runtime) -> None:
    """Neither the coding nor the length of what came is that of what goes."""
    flow = _stream(runtime, EVENTS | {"Content-Encoding": "gzip", "Content-Length": "7"})
    assert flow.response is not None
    assert not {"content-encoding", "content-length"} & {name.lower() for name in flow.response.headers}
    assert flow.response.headers["Transfer-Encoding"] == "chunked"
    second = _stream(runtime, EVENTS, http_version="HTTP/2.0")
    assert second.response is not None
    assert "transfer-encoding" not in second.response.headers


@pytest.mark.parametrize("chunk", [b"\x1f\x8b" + b"\xff" * 40, b"plain"])
async def test_what_cannot_be_decoded_aborts(runtime: Runtime, chunk: bytes) -> None:
    """An exception, which ends the stream for both sides; nothing of it was passed on."""
    flow = _stream(runtime, EVENTS | {"Content-Encoding": "gzip"})
    with pytest.raises(Unmaskable):
        _pass(flow, [chunk])
    assert bytes(runtime.call(flow).kept) == b""


async def test_a_truncated_coding_is_no_end(runtime: Runtime) -> None:
    """A gzip stream that breaks off must not look whole."""
    with pytest.raises(Unmaskable):
        _pass(_stream(runtime, EVENTS | {"Content-Encoding": "gzip"}), [gzip.compress(b"data: a\n\n" * 9)[:-6]])


async def test_what_cannot_be_masked_does_not_begin(runtime: Runtime) -> None:
    """The type of the answer is known before its first byte."""
    with pytest.raises(Unmaskable):
        _stream(runtime, {"Content-Type": "image/png"})


async def test_long_streams_are_recorded_in_parts(runtime: Runtime) -> None:
    """So that memory is bounded, and a crash loses little; nothing is recorded twice."""
    flow, line = _stream(runtime, EVENTS, ()), b"data: " + b"a" * 1_000 + b"\n\n"
    passed = _pass(flow, [line * 100] * 6)
    call = runtime.call(flow)
    assert call.parts == 2
    assert len(call.kept) < PART
    assert call.answered_bytes == len(passed) == 6 * 100 * len(line)
    for written in call.pending_parts:
        await written


def _decided(runtime: Runtime, url: str, headers: dict[str, str], profiles: tuple[str, ...] = ()) -> bool:
    flow = make_flow(make_request(url))
    call = sealed(runtime, flow, target="main" if url.startswith(CLUSTER) else "crm", profiles=profiles)
    return is_stream(call, make_response(headers=headers), runtime.gateway.ruling.masking)


CRM, LOG = "https://crm.corp.example/x", f"{CLUSTER}/api/v1/namespaces/prod/pods/a/log"


async def test_what_is_a_stream(runtime: Runtime) -> None:
    """By its type, by what was asked of a cluster, or by its length; a masked body of unknown length is not."""
    pii = ("pii",)
    streams = [
        (CRM, EVENTS, pii), (CRM, {"Content-Type": "Application/X-NDJSON; charset=utf-8"}, pii),
        (CRM, {"Content-Type": "application/json; stream=watch"}, pii), (f"{CLUSTER}/api/v1/pods?watch=true", {}, pii),
        (f"{LOG}?follow=true", {}, pii), (f"{LOG}?follow=1", {}, pii), (CRM, {"Content-Length": "9999999"}, ()),
        (CRM, {"Content-Length": "x"}, ()),
    ]  # fmt: skip
    whole = [
        (CRM, {"Content-Type": "application/json", "Content-Length": "9999999"}, pii), (CRM, {"Content-Length": "9"}, ()),
        (f"{LOG}?follow=false", {"Content-Length": "9"}, pii), (LOG, {"Content-Length": "9"}, pii),
        (f"{CLUSTER}/api/v1/pods", {"Content-Length": "9"}, pii),
    ]  # fmt: skip
    assert [each for each in streams if not _decided(runtime, *each)] == []
    assert [each for each in whole if _decided(runtime, *each)] == []


SECRETS = f"{CLUSTER}/api/v1/secrets?watch=true"
VALUE = base64.b64encode(b"planted-value-" * 300).decode()


def _secret_stream(runtime: Runtime, profiles: tuple[str, ...] = (), url: str = SECRETS) -> http.HTTPFlow:
    flow = make_flow(make_request(url))
    call = sealed(runtime, flow, target="main", profiles=profiles)
    flow.response = make_response(headers={"Content-Type": "application/json"})
    ResponseStream(runtime, Recording(runtime), flow, call).start()
    return flow


def _secret(name: str, value: str) -> bytes:
    one = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}, "data": {"password": value}}
    return json.dumps({"type": "ADDED", "object": one}, separators=(",", ":")).encode() + b"\n"


def _small_parts(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Have parts written after so many bytes."""
    for module in ("record", "response_streams"):
        monkeypatch.setattr(f"addons.{module}.PART", size)


@pytest.mark.parametrize("size", [100, 16_384])
async def test_a_secret_that_its_agent_may_see_is_not_recorded(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Wherever its stream is cut, also between two parts of the recording."""
    _small_parts(monkeypatch, 1000)
    whole = b"".join(_secret(f"s{number}", VALUE if number % 2 else VALUE[:40]) for number in range(12))
    flow = _secret_stream(runtime)
    assert _pass(flow, [whole[at : at + size] for at in range(0, len(whole), size)]) == whole
    call = runtime.call(flow)
    assert call.parts > 0
    await Record(runtime, Recording(runtime)).response(flow)
    files = list(runtime.gateway.configuration.data_dir.rglob("*.flow"))
    assert files
    assert VALUE[:40].encode() not in b"".join(path.read_bytes() for path in files)


async def test_only_secrets_are_left_out_of_a_record(runtime: Runtime) -> None:
    """A pod that names one is recorded as it is, part by part; a Secret that comes another way is not."""
    pod = {"kind": "Pod", "spec": {"imagePullSecrets": [{"name": "registry"}]}}
    events = json.dumps({"type": "ADDED", "object": pod}).encode() + b"\n"
    for url, chunk, is_kept in (
        (f"{CLUSTER}/api/v1/pods?watch=true", events * 3, True),
        (f"{CLUSTER}/api/v1/namespaces/prod/services/s/proxy/x?watch=true", _secret("s1", VALUE), False),
    ):
        flow = _secret_stream(runtime, url=url)
        assert _pass(flow, [chunk]) == chunk
        await Record(runtime, Recording(runtime)).response(flow)
        newest = list(rows(runtime.gateway.configuration.data_dir))[-1]
        assert (chunk in record(runtime.gateway.configuration.data_dir, newest)) is is_kept
        assert VALUE[:40].encode() not in record(runtime.gateway.configuration.data_dir, newest)


async def test_a_secret_that_broke_off_is_not_recorded(runtime: Runtime) -> None:
    """That there was something is."""
    flow, event = _secret_stream(runtime), _secret("s1", VALUE)
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    assert stream(event[:3000]) == event[:3000]
    Redact(runtime, Recording(runtime)).error(flow)
    assert bytes(runtime.call(flow).kept) == b"[3000 bytes left out]\n"


async def test_a_secret_is_masked_for_the_record_off_the_loop(runtime: Runtime) -> None:
    """And once: where the agent sees no values, what it saw is recorded as it is."""
    flow, event = _secret_stream(runtime), _secret("s1", VALUE[:2000])
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    assert stream(event[:500]) == event[:500]
    assert stream.takes_long(event[500:])
    assert stream(event[500:]) == event[500:]
    kept = bytes(runtime.call(flow).kept)
    assert b'"name":"s1"' in kept
    assert VALUE[:40].encode() not in kept
    masked = _secret_stream(runtime, ("kubernetes",))
    assert _pass(masked, [event]) == bytes(runtime.call(masked).kept)


async def test_the_end_of_a_stream_is_a_part_of_its_own(runtime: Runtime) -> None:
    """It does not take the number, and so the flow id, of the part before it."""
    flow = _stream(runtime, EVENTS, ())
    _pass(flow, [b"data: x\n\n", b"x" * PART, b"data: y\n\n"])
    await Record(runtime, Recording(runtime)).response(flow)
    assert [row.part for row in rows(runtime.gateway.configuration.data_dir) if row.kind == "outcome"] == [1, 2]


async def test_a_stream_that_cannot_be_recorded_is_aborted(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next part at the latest, not at its end."""

    def failing(**_record: object) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(RecorderUnavailable("disk full"))
        return future

    flow = _stream(runtime, EVENTS, ())
    monkeypatch.setattr(runtime.gateway.recorder, "append", failing)
    with pytest.raises(RecorderUnavailable):
        _pass(flow, [b"x" * PART, b"x" * PART])


@pytest.mark.parametrize("profiles", [(), ("pii",)])
@pytest.mark.parametrize("headers", [EVENTS, {"Content-Type": "text/plain"}])
async def test_nothing_of_a_stream_stays_in_memory(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], profiles: tuple[str, ...]
) -> None:
    """Of what went through and was recorded, little more is there than what one part may hold."""
    _small_parts(monkeypatch, 8 * 1024)
    flow = _stream(runtime, headers, profiles)
    call, stream = runtime.call(flow), need(flow.response).stream
    assert isinstance(stream, ResponseStream)

    async def passed(first: int, last: int) -> None:
        for number in range(first, last):
            chunk = b"".join(b"data: line %d of %d, took 12 ms\n\n" % (each, number) for each in range(200))
            if stream.takes_long(chunk):
                await stream.work_ahead(chunk)
            stream(chunk)

    await passed(0, 10)
    tracemalloc.start()
    try:
        await passed(10, 60)
        for written in call.pending_parts:
            await written
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert call.answered_bytes is not None
    assert call.answered_bytes > 350_000
    assert held < 150_000


async def test_a_stream_waits_for_a_slow_recorder(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not recorded yet is bounded, in its memory and in the queue that everybody shares."""
    given: list[asyncio.Future[None]] = []

    def slow(**_record: object) -> asyncio.Future[None]:
        given.append(asyncio.get_running_loop().create_future())
        return given[-1]

    flow, chunk = _stream(runtime, EVENTS, ()), b"x" * PART
    monkeypatch.setattr(runtime.gateway.recorder, "append", slow)
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    for _ in range(UNRECORDED):
        assert stream.takes_long(chunk)
        await stream.work_ahead(chunk)
        stream(chunk)
    work = asyncio.create_task(stream.work_ahead(chunk))
    done, _ = await asyncio.wait([work], timeout=0)
    assert not done
    assert runtime.call(flow).parts == UNRECORDED
    given[0].set_result(None)
    await work
    assert stream(chunk) == chunk
    assert len(runtime.call(flow).pending_parts) == UNRECORDED


async def test_long_text_is_masked_off_the_loop(runtime: Runtime) -> None:
    """Then the stream is called with the work done; what went wrong is raised there, where it aborts the stream."""
    flow = _stream(runtime, EVENTS)
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    chunk = b"data: " + EMAIL.encode() + b" x" * 2000
    assert not stream.takes_long(b"data: short")
    assert stream.takes_long(chunk)
    await stream.work_ahead(chunk)
    assert stream(chunk) == []
    assert stream.takes_long(b"\n\n")
    await stream.work_ahead(b"\n\n")
    (shown,) = [stream(b"\n\n")]
    assert isinstance(shown, bytes)
    assert EMAIL.encode() not in shown
    await stream.work_ahead(b"\0\n\n" + b" " * 3000)
    with pytest.raises(Unmaskable):
        stream(b"\0\n\n" + b" " * 3000)


async def test_a_stream_that_broke_off_is_forgotten(runtime: Runtime, later: list[object]) -> None:
    """Nothing holds it until its agent's token expires."""
    flow = _stream(runtime, EVENTS)
    assert len(runtime.open_streams) == 1
    Redact(runtime, Recording(runtime)).error(flow)
    assert len(runtime.open_streams) == 0


def _paused_after(later: list[Any]) -> list[float]:
    return [seconds for seconds, work in later if getattr(work, "func", None) is response_streams._paused]


async def test_what_waits_is_shown_after_a_pause(runtime: Runtime, later: list[Any]) -> None:
    """A word after a short one, half of a number after a long one; what comes anew starts over."""
    flow = _stream(runtime, EVENTS, ("pci",))
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    assert stream(b'data: {"text":"word"}\n\n') == []
    assert _paused_after(later) == [PAUSE]
    assert stream(None) == b'data: {"text":"word"}\n\n'
    assert not stream.waits
    assert stream(b'data: {"text":" 4111 11"}\n\n') == []
    assert stream(None) == []
    assert _paused_after(later) == [PAUSE, PAUSE, LONG_PAUSE]
    assert stream(None) == b'data: {"text":" 4111 11"}\n\n'
    shown = stream(b'data: {"text":"11 1111 1111. "}\n\n')
    assert isinstance(shown, bytes)
    assert b"1111" not in shown
    assert bytes(runtime.call(flow).kept).count(b"data") == 3


async def test_text_without_line_ends_does_not_wait_for_silence(runtime: Runtime, later: list[Any]) -> None:
    """Of a chat in plain text nothing would be shown before its end, for words come all the time."""
    flow = _stream(runtime, {"Content-Type": "application/x-ndjson"}, ("pci",))
    need(flow.response).headers["content-type"] = "text/plain"
    ResponseStream(runtime, Recording(runtime), flow, runtime.call(flow)).start()
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    for word in (b"some ", b"words ", b"of a chat, 4111 11"):
        assert stream(word) == []
    assert _paused_after(later) == [PAUSE]
    assert stream(None) == b"some words of a chat, "
    assert stream(b"11 1111 1111\n") == b"<CREDIT_CARD>\n"


async def test_work_that_does_not_end_aborts_the_stream(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more goes on, whatever comes of it later."""
    flow, hangs = _stream(runtime, EVENTS), threading.Event()
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    monkeypatch.setattr(response_streams, "LONGEST_WORK", 0.0)

    def hang(_chunk: bytes | None) -> tuple[bytes, None]:
        hangs.wait(60)
        return b"data: too late\n\n", None

    monkeypatch.setattr(stream, "_worked", hang)
    await stream.work_ahead(b"data: x\n\n")
    with pytest.raises(TimeoutError):
        stream(b"data: x\n\n")
    hangs.set()
    with pytest.raises(Unmaskable, match="aborted"):
        stream(b"")
    assert bytes(runtime.call(flow).kept) == b""


async def test_masked_text_of_unknown_length_is_a_stream(runtime: Runtime) -> None:
    """Its lines go on as they come; what has to be whole to be masked is kept."""
    text, pii = {"Content-Type": "text/plain; charset=utf-8"}, ("pii",)
    streams = [
        (CRM, text, pii), (CRM, {"Content-Type": "text/markdown"}, pii), (CRM, text | {"Content-Encoding": "br"}, pii),
        (LOG, text, pii), (CRM, text | {"Transfer-Encoding": "chunked"}, ("pii", "secrets")),
    ]  # fmt: skip
    whole = [
        (CRM, text | {"Content-Length": "99999999"}, pii), (CRM, {}, pii), (CRM, text, ("kubernetes",)),
        (CRM, text | {"Content-Encoding": "compress"}, pii), (CRM, text | {"Transfer-Encoding": "gzip, chunked"}, pii),
        *((CRM, {"Content-Type": each}, pii) for each in (
            "application/json", "text/csv", "text/html", "text/xml", "text/yaml", "multipart/mixed; boundary=a",
            "application/javascript", "image/png", "text/plain; charset=utf-7",
        )),
    ]  # fmt: skip
    assert [each for each in streams if not _decided(runtime, *each)] == []
    assert [each for each in whole if _decided(runtime, *each)] == []


async def test_what_may_pass_unmasked_is_kept_whole(runtime: Runtime) -> None:
    """Whether it does is known at its end."""
    for choice in ("pass", "drop"):
        call = sealed(runtime, make_flow(make_request(CRM)))
        asked = MaskObligation(profiles=("pii",), on_unmaskable=choice)
        call.decision = replace(need(call.decision), obligations=Obligations(mask=asked))
        assert not is_stream(
            call, make_response(headers={"Content-Type": "text/plain"}), runtime.gateway.ruling.masking
        )


async def test_a_language_model_is_asked_off_the_loop(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the chunk."""
    flow = _stream(runtime, EVENTS)
    stream = need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    assert not stream.takes_long(b"data: x\n\n")
    monkeypatch.setattr(type(runtime.gateway.ruling.masking), "asks_models", True)
    assert stream.takes_long(b"data: x\n\n")


async def test_what_went_on_is_recorded_though_nothing_follows(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that falls silent: its bytes are written after a while, once, and soon for the first time."""
    now = time.time()
    monkeypatch.setattr("addons.record.time.time", lambda: now)
    flow = _stream(runtime, EVENTS, ())
    call, stream = runtime.call(flow), need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    stream(b"data: one\n\n")
    stream.keep_up()
    assert call.parts == 0
    now += 6
    stream.keep_up()
    stream.keep_up()
    assert (call.parts, bytes(call.kept)) == (1, b"")
    for written in call.pending_parts:
        await written
    stream(b"data: two\n\n")
    now += 6
    stream.keep_up()
    assert call.parts == 1
    now += 30
    stream.keep_up()
    assert call.parts == 2
    for written in call.pending_parts:
        await written
    kept = b"".join(path.read_bytes() for path in runtime.gateway.configuration.data_dir.rglob("*.flow"))
    assert kept.count(b"data: one") == kept.count(b"data: two") == 1


async def test_nothing_is_recorded_beside_the_thread_that_works_on_a_stream(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts are numbered in the order in which they are written."""
    flow = _stream(runtime, EVENTS, ())
    call, stream = runtime.call(flow), need(flow.response).stream
    assert isinstance(stream, ResponseStream)
    stream(b"data: one\n\n")
    now = time.time() + 60
    monkeypatch.setattr("addons.record.time.time", lambda: now)
    await stream.work_ahead(b"data: two\n\n")
    parts = call.parts
    stream.keep_up()
    assert call.parts == parts
    stream(b"data: two\n\n")
    assert call.parts == parts == 1
