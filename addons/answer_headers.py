"""The headers of an answer, as an agent may see them.

What binds a client to the bytes before masking, sends it elsewhere, or gives it a key, is taken out; so is every header
that has the gateway's own credential, or protected data, in its name. Every value that is not of a strict, harmless
form is masked. An answer that was changed for one agent is for no cache.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from mitmproxy import http

from addons import answers, header_rules
from addons.call_echoes import with_signature
from addons.calls import Call, pinned
from addons.header_rules import Field
from addons.visibility import wants_json
from gatehold.registry import DEFAULT_PORTS
from gatehold.wiring import Gateway
from masking.engine import MaskingEngine
from masking.literals import Replacing
from masking.pseudonyms import Pseudonyms

_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info", "upgrade",
     "trailer", "alt-svc", "set-cookie", "set-cookie2", "clear-site-data", "public-key-pins", "refresh", "nel",
     "report-to", "reporting-endpoints", *(name.lower() for name in answers.HEADERS)}
)  # fmt: skip
_MINTED = header_rules.CREDENTIALS - {"sec-websocket-protocol"}
"""Keys that a target makes up and gives away: no agent can use them here, so they would be for use elsewhere."""
_VALIDATORS = frozenset(
    {"etag", "last-modified", "content-md5", "digest", "repr-digest", "content-digest", "accept-ranges",
     "content-range", "signature", "signature-input", "delta-base", "im"}
)  # fmt: skip
"""Describe the bytes before masking; a client that kept them could ask for them again."""
_CACHING = frozenset(
    {"cache-control", "age", "expires", "pragma", "surrogate-control", "surrogate-key", "cdn-cache-control",
     "cache-tag", "use-as-dictionary"}
)  # fmt: skip
_SIZES = frozenset({"content-length", "content-encoding"})
_OWN = "gatehold-"
"""The gateway's own are for nobody else to set, in no spelling that a server of names could fold."""
_FOLD = re.compile(rb"[ \t]*\r?\n[ \t]*")
"""Where a value goes on in the next line (RFC 9112, 5.2): a space to whoever reads it."""
_DATE = r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
_HARMLESS = {
    "content-length": re.compile(r"\d{1,19}"),
    "content-encoding": re.compile(r"[a-z, -]{0,40}"),
    "transfer-encoding": re.compile(r"chunked"),
    "content-type": re.compile(r"[A-Za-z.+-]{1,40}/[A-Za-z0-9.+-]{1,60}(; ?charset=[A-Za-z0-9-]{1,20})?"),
    "date": re.compile(_DATE),
    "retry-after": re.compile(rf"\d{{1,6}}|{_DATE}"),
}
"""Values of these forms hold no data of a person or record."""
_NAMES = 8192


class _Names:
    """What one masking engine thinks of the names of headers."""

    def __init__(self, masking: MaskingEngine) -> None:
        self.masking = masking
        self.tell = lru_cache(_NAMES)(self._tell)

    def _tell(self, name: str, profiles: tuple[str, ...]) -> bool:
        """Does a header's name itself hold what is to be hidden?"""
        return bool(self.masking.mask_text(name, profiles=profiles)[1])


class AnswerHeaders:
    """Cleans the headers of one gateway's answers."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._names = _Names(gateway.ruling.masking)

    def clean(self, call: Call, request: http.Request, response: http.Response, own: Pseudonyms | None) -> None:
        """Replace the headers of an answer by those that may go on; raises Unmaskable."""
        changed = wants_json(call)
        response.headers = http.Headers(list(self._kept(call, request, response, own)))
        if changed:
            response.headers["Cache-Control"] = "private, no-store"

    def _kept(
        self, call: Call, request: http.Request, response: http.Response, own: Pseudonyms | None
    ) -> Iterator[Field]:
        profiles = call.obligations.mask.profiles
        echoes = with_signature(self._gateway.echoes_to(call.agent), call)
        dropped = _dropped(call, request, response)
        fields = [(name, _FOLD.sub(b" ", folded)) for name, folded in response.headers.fields]
        echoes_any = _holds_any(echoes, fields)
        names = self._names_by(pinned(self._gateway, call).masking)
        for raw_name, raw_value in fields:
            name = raw_name.decode("latin-1").lower()
            canonical = header_rules.canonical(name)
            if name in dropped or canonical in _MINTED or canonical.startswith(_OWN):
                continue
            if (echoes_any and echoes.replace(raw_name) != raw_name) or (profiles and names.tell(name, profiles)):
                continue
            if name == "location" and (call.handshake or self._leads_astray(raw_value.decode("latin-1"))):
                continue
            value = echoes.replace(raw_value) if echoes_any else raw_value
            if profiles and not _is_harmless(name, value):
                value = self._masked(call, name, value, own)
            yield raw_name, value

    def _masked(self, call: Call, name: str, value: bytes, own: Pseudonyms | None) -> bytes:
        """A value masked in the charset in which it is text."""
        text, charset = header_rules.readable(value)
        profiles = call.obligations.mask.profiles
        masked, counts = pinned(self._gateway, call).masking.mask_text(
            text, profiles=profiles, key=name, pseudonyms=own
        )
        call.count(counts)
        return masked.encode(charset, "replace")

    def _names_by(self, masking: MaskingEngine) -> "_Names":
        names = self._names
        if names.masking is not masking:
            names = self._names = _Names(masking)
        return names

    def _leads_astray(self, location: str) -> bool:
        """Does a redirect lead to a host that is not registered? Presigned addresses are keys to places unjudged."""
        try:
            parts = urlsplit(location)
            host, port = parts.hostname, parts.port
        except ValueError:
            return True
        if "\\" in location or (parts.scheme and not parts.netloc):
            return True  # browsers and curl find a host in ``https:host`` and ``/\\host``
        if not parts.netloc:
            return location.strip().startswith("//")
        scheme = parts.scheme or "https"
        if scheme not in DEFAULT_PORTS:
            return True
        return host is None or self._gateway.registry.find(host, port or DEFAULT_PORTS.get(scheme, 0)) is None


def _holds_any(echoes: Replacing, fields: Sequence[Field]) -> bool:
    """Is there anything in any of the fields that must not be seen? One look at all of them."""
    together = b"\n".join([part for field in fields for part in field])
    return echoes.replace(together) != together


def _dropped(call: Call, request: http.Request, response: http.Response) -> frozenset[str]:
    if not wants_json(call):
        return _DROPPED
    # An answer without a body would tell the size that its body has before masking.
    bodiless = request.method == "HEAD" or response.status_code == 304
    return _DROPPED | _VALIDATORS | _CACHING | (_SIZES if bodiless else frozenset())


def _is_harmless(name: str, value: bytes) -> bool:
    form: Callable[[str], object] | None = _HARMLESS[name].fullmatch if name in _HARMLESS else None
    return form is not None and form(value.decode("latin-1")) is not None
