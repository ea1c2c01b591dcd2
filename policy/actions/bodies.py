"""Bodies of http requests: which reader a content type calls for, and when there is nothing to be read.

A body is unknown with several Content-Type headers, with a Content-Encoding, with a charset other than UTF-8, with a
type that has no reader here (multipart and plain text among them), and whenever its reader does not understand it.
"""

import re
from typing import Any

from policy.actions.jsontext import decode_utf8, read_json
from policy.actions.queries import read_query
from policy.actions.readings import NOT_AVAILABLE, Reading, Unreadable
from policy.actions.wire import Headers
from policy.actions.yamltext import read_yaml
from policy.model import UNKNOWN, Maybe

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_JSON = re.compile(r"(?:application|text)/(?:[a-z0-9!#$&^_.-]+\+)?json")
_YAML = re.compile(r"(?:application|text)/(?:x-|[a-z0-9!#$&^_.-]+\+)?yaml")
_FORM = "application/x-www-form-urlencoded"
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


def media_type(content_type: Maybe[str]) -> Maybe[str]:
    """Type and subtype in lower case; empty for no header, unknown where it is none or not of UTF-8."""
    if content_type is UNKNOWN or not content_type:
        return content_type
    name, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = {value.strip('" ') for key, _, value in (p.partition("=") for p in parameters) if key == "charset"}
    if not _TYPE.fullmatch(name) or "," in content_type or len(charsets) > 1 or not charsets <= _UTF8:
        return UNKNOWN
    return name


def read_body(body: bytes | None, headers: Headers) -> Reading:
    """The value of a body; None where there is none."""
    return Reading.of(lambda: _read(body, headers))


def read_form(body: bytes) -> dict[str, list[str]]:
    """Fields of a form (application/x-www-form-urlencoded), each a list; raises ``Unreadable``."""
    fields = read_query(decode_utf8(body))
    if fields is UNKNOWN:
        raise Unreadable("a form with a semicolon, a bad escape or too many fields")
    return {name: list(values) for name, values in fields.items()}


def _read(body: bytes | None, headers: Headers) -> Any:
    if body is None:
        raise Unreadable(NOT_AVAILABLE)
    if not body:
        return None
    if headers.encoded:
        raise Unreadable("the body is encoded")
    media = media_type(headers.content_type)
    if media is UNKNOWN or not media:
        raise Unreadable("no content type, several, or one that cannot be read")
    if _JSON.fullmatch(media):
        return read_json(body)
    if _YAML.fullmatch(media):
        return read_yaml(body)
    if media == _FORM:
        return read_form(body)
    raise Unreadable("a content type without a reader")
