"""What is asked of the token endpoint: a form, read in one way only (RFC 6749, RFC 7522, RFC 8693).

Pure. Parameters that are not known are ignored and those without a value count as left out, as RFC 6749 (3.2) asks for;
one that is given twice refuses the request. Clients are not registered, so whoever tries to prove to be one is refused:
nobody is to believe that it was checked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import parse_qsl

TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 (a name)
SAML_BEARER: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"

_TYPE: Final = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN: Final = f"{_TYPE}access_token"
JWT: Final = f"{_TYPE}jwt"
_SAML: Final = f"{_TYPE}saml2"
_JWTS: Final = frozenset({ACCESS_TOKEN, JWT, f"{_TYPE}id_token"})
_ISSUED: Final = frozenset({ACCESS_TOKEN, JWT})

MOST_BYTES: Final = 128 * 1024
"""Of a form."""
_MOST_FIELDS: Final = 32
_FORM: Final = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*")
_CLIENT_PROOFS: Final = ("client_secret", "client_assertion", "client_assertion_type")


class Error(StrEnum):
    """``error`` of an answer (RFC 6749, 5.2; RFC 8693, 2.2.2)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


class UnusableRequest(Exception):
    """A request that cannot be answered with a token, in words without anything of it."""

    def __init__(self, error: Error, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """What is to be exchanged."""

    grant: str
    kind: Literal["jwt", "saml"]
    subject_token: str = field(repr=False)
    """A JWT, or an assertion in base64url."""
    audience: str | None
    """For whom the token is wanted, if that is said."""
    issued_type: str

    @property
    def source_error(self) -> Error:
        """What is wrong where the subject token is not accepted; the two RFCs differ."""
        return Error.INVALID_REQUEST if self.grant == TOKEN_EXCHANGE else Error.INVALID_GRANT


def read(body: bytes) -> ExchangeRequest:
    """What a form asks for. Raises UnusableRequest."""
    fields = _fields(body)
    if any(name in fields for name in _CLIENT_PROOFS):
        raise UnusableRequest(Error.INVALID_CLIENT, "clients are not registered here; send no proof of being one")
    grant = _needed(fields, "grant_type")
    if grant not in (TOKEN_EXCHANGE, SAML_BEARER):
        raise UnusableRequest(Error.UNSUPPORTED_GRANT_TYPE, f"there are: {TOKEN_EXCHANGE}, {SAML_BEARER}")
    if "scope" in fields:
        raise UnusableRequest(Error.INVALID_SCOPE, "tokens have no scopes: rules say what an agent may do")
    if "resource" in fields:
        raise UnusableRequest(Error.INVALID_TARGET, "tokens are for this gateway as a whole, not for one resource")
    if grant == SAML_BEARER:
        return ExchangeRequest(
            grant=grant,
            kind="saml",
            subject_token=_needed(fields, "assertion"),
            audience=fields.get("audience"),
            issued_type=ACCESS_TOKEN,
        )
    return ExchangeRequest(
        grant=grant,
        kind=_kind(fields),
        subject_token=_needed(fields, "subject_token"),
        audience=fields.get("audience"),
        issued_type=_issued_type(fields),
    )


def _fields(body: bytes) -> dict[str, str]:
    text = body.decode("latin-1")
    if not _FORM.fullmatch(text):
        raise UnusableRequest(Error.INVALID_REQUEST, "the body is not a form")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise UnusableRequest(Error.INVALID_REQUEST, "the body is not a form") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnusableRequest(Error.INVALID_REQUEST, "a parameter is given twice")
    return {name: value for name, value in pairs if value}


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise UnusableRequest(Error.INVALID_REQUEST, f"`{name}` is missing")
    return value


def _kind(fields: Mapping[str, str]) -> Literal["jwt", "saml"]:
    if "actor_token" in fields or "actor_token_type" in fields:
        raise UnusableRequest(Error.INVALID_REQUEST, "nobody acts for somebody else here; send no `actor_token`")
    kind = _needed(fields, "subject_token_type")
    if kind == _SAML:
        return "saml"
    if kind in _JWTS:
        return "jwt"
    raise UnusableRequest(Error.INVALID_REQUEST, f"`subject_token_type` is one of {', '.join(sorted({*_JWTS, _SAML}))}")


def _issued_type(fields: Mapping[str, str]) -> str:
    wanted = fields.get("requested_token_type", ACCESS_TOKEN)
    if wanted not in _ISSUED:
        raise UnusableRequest(Error.INVALID_REQUEST, f"`requested_token_type` is one of {', '.join(sorted(_ISSUED))}")
    return wanted
