"""AWS Signature Version 4, by botocore's own functions (the extra ``aws``).

A call is signed as it is sent: its path, its query, its body, its Host and every ``x-amz-`` header. What an agent
signed itself is taken out where it is a header and refused where it is a part of the request that was judged: a
presigned query, a form with a policy, a body that is signed chunk by chunk.

Of botocore the steps are used, not ``add_auth``: that writes requests and signatures into its debug log.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import RequestSigner
from gatehold.credentials.parameters import folded_names
from policy.codes import Code
from policy.errors import Refusal

_S3 = frozenset({"s3", "s3-object-lambda", "s3-outposts"})
"""Their paths are signed as they are; those of all others are normalised and escaped once more."""
_HASHED = _S3 | {"glacier", "aoss", "es"}
"""Services that want the hash of the body in a header too."""
_OTHER_SCHEMES = frozenset({"s3express"})
_SIGNED = frozenset({"host", "content-type", "content-md5", "range"})
"""Signed besides the headers that begin with ``x-amz-``; what intermediaries change is not."""
_OF_SIGNATURES = frozenset(
    {"authorization", "date", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-s3session-token"}
)
_PRESIGNED = frozenset(
    {"x_amz_algorithm", "x_amz_credential", "x_amz_signature", "x_amz_signedheaders", "x_amz_date", "x_amz_expires",
     "x_amz_security_token", "x_amz_s3session_token", "awsaccesskeyid"}
)  # fmt: skip
"""Names by which a query shows another key (versions 4 and 2), folded as ``parameters`` does it."""
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """An access key, with the token of its session where it is a temporary one."""

    key_id: Secret
    key: Secret
    session_token: Secret | None = None


def signer(keys: Keys, *, service: str, region: str, clock: Callable[[], float] = time.time) -> RequestSigner:
    """What signs calls by these keys. Raises ``CredentialUnavailable`` where the extra is not installed."""
    if service in _OTHER_SCHEMES:
        raise CredentialUnavailable(f"calls to the service {service} are not signed by version 4 alone")
    try:
        from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - heavy, and an extra
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError:
        raise CredentialUnavailable("signing for AWS needs the extra: pip install gatehold[aws]") from None
    auth = S3SigV4Auth if service in _S3 else SigV4Auth
    plain = Credentials(keys.key_id.reveal(), keys.key.reveal())
    return _Signer(auth(plain, service, region), service, keys.session_token, clock)


class _Signer:
    replaces = _OF_SIGNATURES

    def __init__(self, auth: Any, service: str, session_token: Secret | None, clock: Callable[[], float]) -> None:
        self._auth = auth
        self._service = service
        self._session_token = session_token
        self._clock = clock

    def __repr__(self) -> str:
        return f"<signer of calls to {self._service}>"

    def sign(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> tuple[tuple[str, Secret], ...]:
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        self._check(url, headers)
        signed = [(name, value) for name, value in headers if _is_signed(name.lower())]
        own = list(self._own(body))
        request = AWSRequest(method=method, url=_canonical(url, s3=self._service in _S3), data=body)
        for name, value in (*signed, *own):
            request.headers[name] = value  # adds: one that is given twice is signed as both
        request.context["timestamp"] = dict(own)["X-Amz-Date"]
        text = self._auth.string_to_sign(request, self._auth.canonical_request(request))
        names = self._auth.signed_headers(self._auth.headers_to_sign(request))
        parts = (
            f"AWS4-HMAC-SHA256 Credential={self._auth.scope(request)}",
            f"SignedHeaders={names}",
            f"Signature={self._auth.signature(text, request)}",
        )
        own.append(("Authorization", ", ".join(parts)))
        return tuple((name, Secret(value)) for name, value in own)

    def _own(self, body: bytes) -> Sequence[tuple[str, str]]:
        """The headers that come with a signature, but for itself."""
        own = [("X-Amz-Date", time.strftime(_TIME, time.gmtime(self._clock())))]
        if self._service in _HASHED:
            own.append(("X-Amz-Content-SHA256", hashlib.sha256(body).hexdigest()))
        if self._session_token is not None:
            own.append(("X-Amz-Security-Token", self._session_token.reveal()))
        return own

    def _check(self, url: str, headers: Sequence[tuple[str, str]]) -> None:
        """Raises ``Refusal`` for what somebody else signed, or what cannot be signed as a whole."""
        if folded_names(url) & _PRESIGNED:
            raise _malformed("it is presigned; the gateway signs it itself")
        given = {name.lower(): value.strip().lower() for name, value in headers}
        chunked = (
            "aws-chunked" in given.get("content-encoding", "")
            or given.get("x-amz-content-sha256", "").startswith("streaming-")
            or not given.keys().isdisjoint({"x-amz-trailer", "x-amz-decoded-content-length"})
        )
        if chunked:
            raise _malformed(
                "a body in signed chunks (aws-chunked) cannot be signed anew; send it whole, for SDKs with "
                "AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
            )
        if self._service in _S3 and given.get("content-type", "").startswith("multipart/form-data"):
            raise _malformed("a form upload carries a signature of its own; send the object by PUT")


def _is_signed(name: str) -> bool:
    return name in _SIGNED or (name.startswith("x-amz-") and name not in _OF_SIGNATURES)


def _canonical(url: str, *, s3: bool) -> str:
    """The address as AWS writes it before it compares: percent-encoded in the one way that signatures know."""
    place, _, query = url.partition("?")
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    if s3:
        path = quote(unquote_to_bytes(path), safe="/-_.~")
    pairs = (piece.partition("=") for piece in query.split("&") if piece)
    canonical = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, _, value in pairs)
    return f"{scheme}://{host}{slash or '/'}{path}" + (f"?{canonical}" if canonical else "")


def _escaped(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", "%20")), safe="-_.~")


def _malformed(why: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"The call cannot be signed for its target: {why}.")
