"""Answers that are passed on as they come: watches, followed logs, server-sent events, texts and long unmasked bodies.

Each chunk is decoded, filtered and masked record by record, freed of the gateway's own credential, given to the agent
and kept for the recording. Nothing waits for the end. An error in here raises inside mitmproxy's stream callable, which
aborts the stream (``addons.wire``): a stream that cannot be masked ends, visibly, and is never cut short as if it were
whole.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import parse_qs

from mitmproxy import ctx, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import events

from addons.calls import Call, need
from addons.offload import ON_LOOP
from addons.record import PART, Part, Recording, is_due
from addons.runtime import Runtime
from addons.secret_lines import SecretLines
from addons.visibility import Visibility, is_filtered
from gatehold.secret_bodies import is_about_secrets
from masking.encodings import Decoder, Limits, coding
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.literals import LiteralStream
from masking.stream import StreamMask
from policy.actions.kubernetes import KubernetesAction
from policy.model import Family

_STREAM_TYPES = frozenset({"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl"})
_SMALL = 1024 * 1024
"""An unmasked answer of a known length up to this is kept whole; any other is streamed."""
UNRECORDED = 4
"""Parts that may wait for the recorder; then no more is read, or one stream would fill its queue for everybody."""
PAUSE = 0.25
"""Seconds after which what waits for the rest of a line or word is shown, unless it looks like half of a value."""
LONG_PAUSE = 5.0
"""Seconds of silence after which half of a value is shown as well: nobody is kept waiting for ever."""
LONGEST_WORK = 60.0
"""Seconds that a chunk may take to be worked off; then its stream is aborted."""
_PLAIN_STEPS = 2
"""Steps of a stream from which nothing but credentials is taken out."""


class Transform(Protocol):
    """One step of a stream."""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may go on now."""

    def end(self) -> bytes:
        """The bytes that were held back."""


@dataclass
class StreamPaused(events.MessageInjected[None]):
    """Nothing came for a while on the stream of a flow: what waits may be looked at."""


PARTIAL = frozenset({206, 226})
"""Statuses of answers that are a part of one, cut where the agent chose: under a mask they are withheld."""
_BODILESS = frozenset({204, 304})


def is_stream(call: Call, response: http.Response, masking: MaskingEngine) -> bool:
    """Is this answer passed on as it comes?"""
    if response.status_code in _BODILESS or (call.wire is not None and call.wire.method == "HEAD"):
        return False  # a chunked end after an answer without a body would be read as the next answer
    if is_filtered(call):
        # An error of the server is one object; every other answer has to be whole before it can be filtered.
        return response.status_code == 200 and isinstance(call.action, KubernetesAction) and call.action.verb == "watch"
    if response.status_code in PARTIAL and call.obligations.mask.profiles:
        return False
    content_type = response.headers.get("content-type", "").lower()
    if content_type.partition(";")[0].strip() in _STREAM_TYPES or "stream=watch" in content_type.replace(" ", ""):
        return True
    if isinstance(call.action, KubernetesAction) and (call.action.verb == "watch" or _is_followed_log(call.action)):
        return True
    if call.needs_json:
        return False
    length = response.headers.get("content-length", "")
    if call.obligations.mask.profiles:
        return not length.isdecimal() and _is_text_stream(call, response, masking)
    return not length.isdecimal() or int(length) > _SMALL


def _is_text_stream(call: Call, response: http.Response, masking: MaskingEngine) -> bool:
    """Can the lines of a masked text go on before all of it is there?"""
    mask, headers = call.obligations.mask, response.headers
    if mask.on_unmaskable != "block":  # what passes unmasked, or is dropped, is known when it is whole
        return False
    if headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        return False
    return masking.streams_text(headers.get("content-type", ""), headers.get("content-encoding", ""), mask.profiles)


def _is_log(action: object) -> bool:
    """Lines of a log stand by themselves, whatever is in them."""
    return isinstance(action, KubernetesAction) and _is_followed_log(action)


def _is_followed_log(action: KubernetesAction) -> bool:
    """``follow`` as the API server reads it: the first value, true unless it is ``false`` or ``0``."""
    if action.subresource != "log":
        return False
    values = parse_qs(action.wire_path.partition("?")[2], keep_blank_values=True).get("follow")
    return values is not None and values[0].lower() not in ("false", "0")


class ResponseStream:
    """The stream of one answer. It is called with each chunk; one that takes long is worked off in a thread before."""

    def __init__(self, runtime: Runtime, recording: Recording, flow: http.HTTPFlow, call: Call) -> None:
        self._runtime = runtime
        self._recording = recording
        self._flow = flow
        self._call = call
        self._mask: StreamMask | None = None
        self._steps: list[Transform] = []
        self._secrets: SecretLines | None = None
        """Hides for the record what the agent may see."""
        self._is_encoded = False
        self._waiting = 0
        """Bytes that came since something went on."""
        self._oldest = 0.0
        """When the first byte came that is not recorded yet."""
        self.chunk: bytes | None = b""
        """What is to be worked off ahead; None: what waits."""
        self._pause: asyncio.TimerHandle | None = None
        """Waits for a pause."""
        self._is_silent = False
        """Nothing came since a pause."""
        self._ahead: tuple[bytes, Part | None] | Exception | None = None
        self._is_working = False
        """A thread works off a chunk."""
        self._is_aborted = False
        """Work on it failed, or goes on without end somewhere."""

    def start(self) -> None:
        """Hang this stream into its flow; its headers may still be changed."""
        response = need(self._flow.response)
        self._steps = [*self._first_steps(response), LiteralStream(self._runtime.echoes(self._call))]
        if self._shows_secrets():
            scrubber, target = self._runtime.ruling(self._call).scrubber, self._call.target
            self._secrets = SecretLines(lambda line: scrubber.masked_body(line, "application/json", target))
        for name in ("content-encoding", "content-length"):
            response.headers.pop(name, None)
        if not self._flow.request.is_http2 and self._flow.request.http_version != "HTTP/1.0":
            response.headers["transfer-encoding"] = "chunked"
        self._call.streamed = True
        self._call.answered_bytes = 0
        left = need(self._call.agent).expires_at - time.time()
        # A stream ends with its token, also one that says nothing any more.
        client_id = self._flow.client_conn.id
        self._call.timers.append(self._runtime.later(left, partial(Runtime.hang_up, client_id)))
        self._runtime.open_streams.add(self._call, self._flow, lambda _why: Runtime.hang_up(client_id), _keep_up)
        response.stream = self

    def _shows_secrets(self) -> bool:
        """Does the agent see values of Kubernetes Secrets?"""
        call = self._call
        if self._runtime.family(call) is not Family.KUBERNETES or not is_about_secrets(need(call.wire).path):
            return False
        masking, profiles = self._runtime.ruling(call).masking, call.obligations.mask.profiles
        return self._mask is None or not masking.hides_kind("Secret", profiles)

    def _first_steps(self, response: http.Response) -> list[Transform]:
        encoding = response.headers.get("content-encoding", "")
        self._is_encoded = bool(encoding)
        if not is_filtered(self._call):
            return [self._mask_step(response, encoding)]
        decoder, watch = Visibility(self._runtime.gateway).watch(self._call, response)
        return [decoder, watch, self._mask_step(response, "")]

    def _mask_step(self, response: http.Response, encoding: str) -> Transform:
        """The mask, which takes a content coding off; where nothing is masked only that is left to do."""
        profiles = self._call.obligations.mask.profiles
        if not profiles:
            return Decoder(coding(encoding), Limits())
        content_type = response.headers.get("content-type", "")
        try:
            self._mask = self._runtime.ruling(self._call).masking.open_stream(
                content_type=content_type,
                content_encoding=encoding,
                profiles=profiles,
                pseudonyms=self._runtime.pseudonyms(self._call),
                joined=not _is_log(self._call.action),
            )
        except Unmaskable:
            if self._call.obligations.mask.on_unmaskable != "pass":
                raise
            return Decoder(coding(encoding), Limits())
        return self._mask

    @property
    def waits(self) -> bool:
        """Is there anything that a pause lets go on?"""
        return self._mask is not None and self._mask.waits

    def takes_long(self, chunk: bytes | None) -> bool:
        """Could the work on this chunk, or (None) on what waits, hold up everybody else's calls?"""
        if self._mask is not None and self._runtime.ruling(self._call).masking.asks_models:
            return True
        if chunk is None:
            return self._mask is not None and self._mask.held > ON_LOOP
        if len(self._call.kept) + len(chunk) >= PART:
            return True
        if self._secrets is not None and self._secrets.held + len(chunk) > ON_LOOP:
            return True
        plain = self._mask is None and len(self._steps) == _PLAIN_STEPS and not self._is_encoded
        return not plain and self._waiting + len(chunk) > ON_LOOP

    async def work_ahead(self, chunk: bytes | None) -> None:
        """Work off a chunk in a thread; an error is raised when the stream is called with it."""
        self._is_working = True
        try:
            async with asyncio.timeout(LONGEST_WORK):
                await self._recorded()
                self._ahead = await asyncio.to_thread(self._worked, chunk)
        except Exception as error:  # noqa: BLE001 - raised where it aborts the stream
            self._ahead = error
        finally:
            self._is_working = False

    def keep_up(self) -> None:
        """Record what the agent got a while ago, though nothing came since. Raises RecorderUnavailable."""
        is_busy = self._is_working or self._ahead is not None or self._is_aborted
        is_behind = any(not each.done() for each in self._call.pending_parts)
        if not is_busy and not is_behind and is_due(self._call, len(self._call.kept), self._oldest):
            self._recording.part(self._flow, self._call)

    async def _recorded(self) -> None:
        """Wait until the recorder has written most of what it was given; what went wrong is told with the next part."""
        while len(waiting := [each for each in self._call.pending_parts if not each.done()]) >= UNRECORDED:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    def __call__(self, chunk: bytes | None) -> bytes | list[bytes]:
        """One chunk as mitmproxy gives it; ``b""`` is the end, None a pause. An exception aborts the stream."""
        if self._is_aborted:
            raise Unmaskable("the stream was aborted")
        done, self._ahead = self._ahead, None
        if isinstance(done, Exception):
            self._is_aborted = True
            raise done
        data, part = done or self._worked(chunk)
        if part is not None:
            self._recording.append_part(self._call, part)
        if chunk == b"":
            self.close()
        else:
            self._listen(paused=chunk is None)
        # mitmproxy ends a chunked body at b"", so "nothing now" has to be no chunk at all.
        return data or []

    def close(self) -> None:
        """Nothing comes any more."""
        for timer in self._call.timers:
            timer.cancel()
        if self._pause is not None:
            self._pause.cancel()
        if self._secrets is not None:
            self._call.kept += self._secrets.cut()
        self._runtime.open_streams.remove(self._flow)

    def _listen(self, *, paused: bool) -> None:
        """Have what waits looked at after a pause: a short one first, then a long one."""
        mask = self._mask
        was_silent, self._is_silent = self._is_silent, paused
        if self._pause is not None and (paused or not self.waits or need(mask).waits_for_silence):
            self._pause.cancel()
            self._pause = None
        if mask is None or not mask.waits or (paused and (was_silent or not mask.waits_for_silence)):
            return
        if self._pause is None:
            self._pause = self._runtime.later(LONG_PAUSE if paused else PAUSE, partial(_paused, self._flow))

    def _worked(self, chunk: bytes | None) -> tuple[bytes, Part | None]:
        """What goes on of a chunk, and what of the record is due."""
        data = self._flush() if chunk is None else self._feed(chunk) if chunk else self._end()
        self._waiting = len(chunk or b"") if data else self._waiting + len(chunk or b"")
        call = self._call
        if data and not call.kept:
            self._oldest = time.time()
        call.kept += self._kept(data, is_end=chunk == b"")
        call.answered_bytes = (call.answered_bytes or 0) + len(data)
        if self._mask is not None:
            call.masked = dict(self._mask.counts)
        is_written = chunk != b"" and is_due(call, len(call.kept), self._oldest)
        return data, self._recording.part_of(self._flow, call) if is_written else None

    def _kept(self, data: bytes, *, is_end: bool) -> bytes:
        """What of the bytes for the agent is recorded."""
        if self._secrets is None:
            return data
        return self._secrets.feed(data) + (self._secrets.end() if is_end else b"")

    def _feed(self, data: bytes) -> bytes:
        for step in self._steps:
            data = step.feed(data)
        return data

    def _flush(self) -> bytes:
        mask = need(self._mask)
        data = mask.flush(patient=not self._is_silent)
        for step in self._steps[self._steps.index(mask) + 1 :]:
            data = step.feed(data)
        return data

    def _end(self) -> bytes:
        data = b""
        for step in self._steps:
            data = step.feed(data) + step.end()
        return data


def _keep_up(flow: http.HTTPFlow) -> None:
    stream = flow.response.stream if flow.response else None
    if isinstance(stream, ResponseStream):
        stream.keep_up()


def _paused(flow: http.HTTPFlow) -> None:
    """Tell the layer of a stream that nothing came for a while; nothing where it is gone."""
    proxyserver = ctx.master.addons.get("proxyserver")
    if isinstance(proxyserver, Proxyserver) and flow.live and flow.client_conn.id in proxyserver.connections:
        proxyserver.inject_event(StreamPaused(flow, None))
