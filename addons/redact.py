"""What the agent may see: answers are filtered and masked before the agent, a log or a recording can see them.

A whole body is masked in one go; a stream (watch, followed log, server-sent events) record by record, as it comes.
Where a rule opens some objects only, the others are taken out before anything is masked. Bytes that cannot be
filtered or masked do not leave: the answer is withheld, or the stream is aborted. The gateway's own
credential is taken out of every answer, masked or not, should an upstream echo it.
"""

from mitmproxy import http
from mitmproxy.net.http import status_codes

from addons import answers
from addons.answer_bodies import AnswerBody
from addons.answer_headers import AnswerHeaders
from addons.calls import Call
from addons.failsafe import place
from addons.offload import PARSED_ON_LOOP, by_size, size_of
from addons.record import Recording
from addons.response_streams import PARTIAL, ResponseStream, is_stream
from addons.runtime import Runtime
from addons.visibility import HiddenObject, Visibility, is_filtered, wants_json
from masking.encodings import Limits
from masking.errors import Unmaskable
from policy.codes import Code
from policy.errors import Refusal

_BODILESS = frozenset({204, 304})


class Redact:
    """Masks answers."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording
        self._limits = Limits(body=runtime.gateway.configuration.gateway.spec.limits.max_masked_body)
        self._visibility = Visibility(runtime.gateway)
        self._headers = AnswerHeaders(runtime.gateway)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Clean the headers of an answer and choose whether it is streamed."""
        call = self.runtime.call(flow)
        response = flow.response
        if response is None or not call.sealed:
            return
        if response.status_code < 200:
            if call.handshake is None:
                raise Refusal(Code.UNMASKABLE, "the target switched protocols without being asked to")
            call.handshake.switch(response)
            answers.mark(response, call)
            return
        is_streamed = is_stream(call, response, self.runtime.ruling(call).masking)
        ends = _known_end(response, self._limits.body)
        try:
            _check_whole(call, response)
            await self._clean_headers(flow, call, response)
            answers.mark(response, call)
            if is_streamed:
                ResponseStream(self.runtime, self.recording, flow, call).start()
        except Exception as error:
            if is_streamed and not ends:
                raise  # it would be waited for without end: aborted
            # An answer that is set now would get the upstream's body; it is withheld when that is complete.
            response.stream = False
            call.streamed, call.unmaskable = False, _unmaskable(error)

    async def stream_chunk(self, flow: http.HTTPFlow) -> None:
        """Work off a chunk of a stream that takes long; what follows it waits."""
        stream = flow.response.stream if flow.response else None
        if isinstance(stream, ResponseStream):
            with self.runtime.open_streams.working(flow.client_conn.id):
                await stream.work_ahead(stream.chunk)

    def error(self, flow: http.HTTPFlow) -> None:
        """Forget a stream that broke off."""
        stream = flow.response.stream if flow.response else None
        if isinstance(stream, ResponseStream):
            stream.close()

    async def response(self, flow: http.HTTPFlow) -> None:
        """Mask a whole answer."""
        call = self.runtime.call(flow)
        response = flow.response
        if response is None or not call.sealed:
            return
        response.trailers = None  # never masked; those of a stream would be sent after this hook
        if response.stream:
            return
        if call.unmaskable is not None:
            self._block(flow, call.unmaskable)
            return
        if flow.request.method != "HEAD" and response.status_code not in _BODILESS:
            try:
                await self._whole(flow, call, response)
            except HiddenObject:
                self.runtime.refuse(flow, self._visibility.denial(call))
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is withheld
                self._block(flow, _unmaskable(error))
        if call.refusal is None:
            answers.mark(response, call)

    async def _whole(self, flow: http.HTTPFlow, call: Call, response: http.Response) -> None:
        """Filter and mask a whole body; raises Unmaskable, and HiddenObject where it may not be seen at all."""
        if is_filtered(call):
            if len(response.raw_content or b"") > self._limits.body:
                raise Unmaskable(f"the answer is larger than {self._limits.body} bytes")
            body = await self._visibility.filtered(call, response, response.raw_content or b"", self._limits)
            _set_body(response, body)
        if not response.raw_content:
            return
        try:
            await self._mask_body(call, response)
        except Unmaskable as unmaskable:
            await self._withhold(flow, call, response, unmaskable)

    async def _mask_body(self, call: Call, response: http.Response) -> None:
        masking, body = self.runtime.ruling(call).masking, self._body_of(response, call)
        echoes = self.runtime.echoes(call)
        if not body.profiles and not echoes:
            return
        is_ready = self._is_ready(call)
        at_once = body.masked_at_once(masking, echoes) if is_ready else None
        size = size_of(body.raw, body.content_encoding) if is_ready else None
        result = at_once if at_once is not None else await by_size(size, body.masked, masking, echoes)
        masked, counts = result
        call.count(counts)
        _set_body(response, masked)

    def _is_ready(self, call: Call) -> bool:
        """Need nobody wait for the detectors? What is not masked needs none."""
        return self.runtime.gateway.masking_ready or not call.obligations.mask.profiles

    def _body_of(self, response: http.Response, call: Call) -> AnswerBody:
        return AnswerBody(
            raw=response.raw_content or b"",
            content_type=response.headers.get("content-type", ""),
            content_encoding=response.headers.get("content-encoding", ""),
            profiles=call.obligations.mask.profiles,
            pseudonyms=self.runtime.pseudonyms(call),
            limits=self._limits,
        )

    async def _clean_headers(self, flow: http.HTTPFlow, call: Call, response: http.Response) -> None:
        # The phrase is the target's own text; HTTP/2 has none.
        response.reason = status_codes.RESPONSES.get(response.status_code, "") if response.reason else ""
        size = sum(len(name) + len(value) for name, value in response.headers.fields)
        own = self.runtime.pseudonyms(call)
        if not call.obligations.mask.profiles and size <= PARSED_ON_LOOP:
            self._headers.clean(call, flow.request, response, own)
            return
        await by_size(size if self._is_ready(call) else None, self._headers.clean, call, flow.request, response, own)

    async def _withhold(self, flow: http.HTTPFlow, call: Call, response: http.Response, unmaskable: Unmaskable) -> None:
        """Do what the rule says about an answer that could not be masked; whatever it says, credentials stay here."""
        choice = call.obligations.mask.on_unmaskable
        if choice == "drop":
            _set_body(response, b"")
        elif choice == "pass":
            body = self._body_of(response, call)
            size = size_of(body.raw, body.content_encoding)
            _set_body(response, await by_size(size, body.bare, self.runtime.echoes(call)))
        else:
            self._block(flow, unmaskable)

    def _block(self, flow: http.HTTPFlow, unmaskable: Unmaskable) -> None:
        detail = "the answer could not be masked and was withheld"
        self.runtime.refuse(flow, Refusal(Code.UNMASKABLE, detail, reason=str(unmaskable)))


def _set_body(response: http.Response, body: bytes) -> None:
    """Set a decoded body."""
    response.headers.pop("content-encoding", None)
    response.headers.pop("transfer-encoding", None)
    response.raw_content = body
    response.headers["content-length"] = str(len(body))


def _unmaskable(error: Exception) -> Unmaskable:
    """What went wrong, without its text, which could hold a piece of the data."""
    return error if isinstance(error, Unmaskable) else Unmaskable(f"masking failed: {place(error)}")


def _known_end(response: http.Response, limit: int) -> bool:
    """Will an answer end within what is kept in memory?"""
    length = response.headers.get("content-length", "")
    return length.isdecimal() and len(length) < 20 and int(length) <= limit


def _check_whole(call: Call, response: http.Response) -> None:
    """Raises Unmaskable for an answer whose bytes are not those of a whole, readable body."""
    if response.headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        raise Unmaskable("transfer coding is not supported")
    ranges = response.headers.get("content-type", "").strip().lower().startswith("multipart/byteranges")
    if wants_json(call) and (response.status_code in PARTIAL or ranges):
        raise Unmaskable("the answer is a part of one")
