"""What the agent may see: answers are filtered and masked before the agent, a log or a recording can see them.

A whole body is masked in one go; a stream (watch, followed log, server-sent events) record by record, as it comes.
Where a rule opens some objects only, the others are taken out before anything is masked. Bytes that cannot be
filtered or masked do not leave: the answer is withheld, or the stream is aborted. The gateway's own
credential is taken out of every answer, masked or not, should an upstream echo it.
"""

import asyncio
from urllib.parse import urlsplit

from mitmproxy import http
from mitmproxy.net.http import status_codes

from addons import answers
from addons.calls import Call
from addons.offload import ON_LOOP
from addons.record import Recording
from addons.response_streams import PARTIAL, ResponseStream, is_stream
from addons.runtime import Runtime
from addons.visibility import HiddenObject, Visibility, is_filtered, wants_json
from gatehold.registry import DEFAULT_PORTS
from gatehold.scrubbing import PLAIN_HEADERS
from masking.encodings import Limits, decode
from masking.errors import Unmaskable
from policy.codes import Code
from policy.errors import Refusal

_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "upgrade", "trailer", "alt-svc",
     "set-cookie", "set-cookie2", "clear-site-data", "public-key-pins", *(name.lower() for name in answers.HEADERS)}
)  # fmt: skip
_VALIDATORS = frozenset(
    {
        "etag",
        "last-modified",
        "content-md5",
        "digest",
        "repr-digest",
        "content-digest",
        "accept-ranges",
        "content-range",
    }
)
"""Describe the bytes before masking; a client that kept them could ask for them again."""


class Redact:
    """Masks answers."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording
        self._limit = runtime.gateway.configuration.gateway.spec.limits.max_masked_body
        self._visibility = Visibility(runtime.gateway)

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
        try:
            _check_whole(call, response)
            await self.runtime.gateway.masking_work(self._clean_headers, flow, call, response)
        except Unmaskable as unmaskable:
            # An answer that is set now would get the upstream's body; it is withheld when that is complete.
            call.unmaskable = unmaskable
            return
        answers.mark(response, call)
        if is_stream(call, response):
            ResponseStream(self.runtime, self.recording, flow, call).start()

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
        if is_filtered(call) and not await self._filter_body(flow, call, response):
            return
        try:
            await self._mask_body(flow, call, response)
        except Unmaskable as unmaskable:
            self._withhold(flow, call, response, unmaskable)
        if call.refusal is None:
            answers.mark(response, call)

    async def _filter_body(self, flow: http.HTTPFlow, call: Call, response: http.Response) -> bool:
        """Take what is hidden out of a whole answer; False where the answer was replaced by a refusal."""
        body = response.raw_content or b""
        if flow.request.method == "HEAD" or response.status_code in (204, 304):
            return True
        try:
            if len(body) > self._limit:
                raise Unmaskable(f"the answer is larger than {self._limit} bytes")
            body = await self._visibility.filtered(call, response, body, Limits(body=self._limit))
        except HiddenObject:
            self.runtime.refuse(flow, self._visibility.denial(call))
            return False
        except Unmaskable as unmaskable:
            self._block(flow, unmaskable)
            return False
        self._set_body(response, body)
        return True

    async def _mask_body(self, flow: http.HTTPFlow, call: Call, response: http.Response) -> None:
        body = response.raw_content or b""
        if flow.request.method == "HEAD" or response.status_code in (204, 304) or not body:
            return
        if call.obligations.mask.profiles:
            body = await self._masked(call, response, body)
        elif self.runtime.gateway.echoes():
            body = decode(body, response.headers.get("content-encoding", ""), Limits(body=self._limit))
        else:
            return
        self._replace_body(response, body)

    def _replace_body(self, response: http.Response, body: bytes) -> None:
        """Set a decoded body, freed of the gateway's own credentials."""
        self._set_body(response, self.runtime.gateway.echoes().replace(body))

    @staticmethod
    def _set_body(response: http.Response, body: bytes) -> None:
        response.headers.pop("content-encoding", None)
        response.headers.pop("transfer-encoding", None)
        response.raw_content = body
        response.headers["content-length"] = str(len(body))

    async def _masked(self, call: Call, response: http.Response, body: bytes) -> bytes:
        if len(body) > self._limit:
            raise Unmaskable(f"the answer is larger than {self._limit} bytes")
        engine = self.runtime.gateway.masking
        options = {
            "content_type": response.headers.get("content-type", ""),
            "content_encoding": response.headers.get("content-encoding", ""),
            "profiles": call.obligations.mask.profiles,
            "pseudonyms": self.runtime.pseudonyms(call),
        }
        if len(body) <= ON_LOOP and self.runtime.gateway.masking_ready:
            masked = engine.mask_body(body, **options)
        else:
            masked = await asyncio.to_thread(engine.mask_body, body, **options)
        call.count(masked.counts)
        return masked.body

    def _clean_headers(self, flow: http.HTTPFlow, call: Call, response: http.Response) -> None:
        profiles = call.obligations.mask.profiles
        changed = wants_json(call)
        # A HEAD answer would tell the size that its body has before masking.
        dropped = _DROPPED | (_VALIDATORS if changed else frozenset())
        if changed and flow.request.method == "HEAD":
            dropped |= {"content-length", "content-encoding"}
        echoes = self.runtime.gateway.echoes()
        # The phrase is the target's own text; HTTP/2 has none.
        response.reason = status_codes.RESPONSES.get(response.status_code, "") if response.reason else ""
        fields = []
        for name, value in response.headers.fields:
            lowered = name.decode("latin-1").lower()
            if lowered == "location" and (call.handshake or self._leads_astray(value.decode("latin-1"))):
                continue
            if lowered in dropped or echoes.replace(name) != name:
                continue
            value = echoes.replace(value)  # noqa: PLW2901 - the field, cleaned
            if profiles and lowered not in PLAIN_HEADERS:
                text, counts = self.runtime.gateway.masking.mask_text(
                    value.decode("latin-1"), profiles=profiles, key=lowered, pseudonyms=self.runtime.pseudonyms(call)
                )
                call.count(counts)
                value = text.encode("latin-1")  # noqa: PLW2901
            fields.append((name, value))
        response.headers = http.Headers(fields)

    def _leads_astray(self, location: str) -> bool:
        """Does a redirect lead to a host that is not registered? Presigned addresses are keys to places unjudged."""
        try:
            parts = urlsplit(location)
            host, port = parts.hostname, parts.port
        except ValueError:
            return True
        if not parts.netloc:
            return False
        scheme = parts.scheme or "https"
        return host is None or self.runtime.gateway.registry.find(host, port or DEFAULT_PORTS.get(scheme, 0)) is None

    def _withhold(self, flow: http.HTTPFlow, call: Call, response: http.Response, unmaskable: Unmaskable) -> None:
        """Do what the rule says about an answer that could not be masked; whatever it says, credentials stay here."""
        choice = call.obligations.mask.on_unmaskable
        if choice == "drop":
            self._replace_body(response, b"")
        elif choice == "pass":
            try:
                encoding = response.headers.get("content-encoding", "")
                self._replace_body(response, decode(response.raw_content or b"", encoding, Limits(body=self._limit)))
            except Unmaskable as unreadable:
                self._block(flow, unreadable)
        else:
            self._block(flow, unmaskable)

    def _block(self, flow: http.HTTPFlow, unmaskable: Unmaskable) -> None:
        detail = "the answer could not be masked and was withheld"
        self.runtime.refuse(flow, Refusal(Code.UNMASKABLE, detail, reason=str(unmaskable)))


def _check_whole(call: Call, response: http.Response) -> None:
    """Raises Unmaskable for an answer whose bytes are not those of a whole, readable body."""
    if response.headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        raise Unmaskable("transfer coding is not supported")
    if wants_json(call) and response.status_code in PARTIAL:
        raise Unmaskable("the answer is a part of one")
