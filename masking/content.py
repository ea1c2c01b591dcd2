"""What a body is: which format, which charset, and whether it is what it says.

A body whose format cannot be masked (images, PDF, protobuf, CBOR, archives), whose charset is not listed, or whose
bytes contradict its content type is refused.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from masking.errors import Unmaskable


class Shape(StrEnum):
    """The formats that can be masked."""

    JSON = "json"
    NDJSON = "ndjson"
    SSE = "sse"
    FORM = "form"
    TEXT = "text"


_CHARSETS = {
    "": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "latin-1": "latin-1",
    "iso-8859-15": "iso8859-15",
    "latin-9": "iso8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_SHAPES = {
    "application/json": Shape.JSON,
    "text/json": Shape.JSON,
    "application/x-ndjson": Shape.NDJSON,
    "application/ndjson": Shape.NDJSON,
    "application/jsonl": Shape.NDJSON,
    "application/jsonlines": Shape.NDJSON,
    "application/x-jsonlines": Shape.NDJSON,
    "text/event-stream": Shape.SSE,
    "application/x-www-form-urlencoded": Shape.FORM,
    "application/xml": Shape.TEXT,
    "application/javascript": Shape.TEXT,
    "application/graphql": Shape.TEXT,
    "application/openmetrics-text": Shape.TEXT,
}
_UNICODE = frozenset({Shape.JSON, Shape.NDJSON, Shape.SSE})
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"})
_ESSENCE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9!#$&^_.+-]+)\s*=\s*(?:\"([^\"\\]*)\"|([^\s;\"]*))\s*")
_MAGIC = re.compile(
    rb"%PDF-|\x89PNG|GIF8[79]a|PK\x03\x04|\x1f\x8b|BZh[1-9]1AY|\x28\xb5\x2f\xfd|\xfd7zXZ|k8s\x00|\xff\xd8\xff"
)
_CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentType:
    """A ``Content-Type``: ``essence`` in lower case, empty when it is missing; charset as Python calls it."""

    essence: str
    charset: str
    stream: str = ""
    """The ``stream`` parameter, by which Kubernetes marks watches."""

    @property
    def is_yaml(self) -> bool:
        """Whether it is YAML, in which objects cannot be located."""
        return self.essence in _YAML or self.essence.endswith("+yaml")

    @property
    def shape(self) -> Shape | None:
        """The format that it declares; None when it declares none."""
        if not self.essence:
            return None
        if self.essence in _SHAPES:
            shape = _SHAPES[self.essence]
            return Shape.NDJSON if self.stream and shape is Shape.JSON else shape
        if self.essence.endswith("+json"):
            return Shape.JSON
        if self.is_yaml or self.essence.startswith("text/") or self.essence.endswith("+xml"):
            return Shape.TEXT
        raise Unmaskable("content type cannot be masked")


def read_content_type(header: str) -> ContentType:
    """Reads a ``Content-Type`` header; raises ``Unmaskable`` when it is malformed or its charset is not listed."""
    essence, separator, rest = header.strip().partition(";")
    essence = essence.strip().lower()
    if not essence and not separator:
        return ContentType(essence="", charset="utf-8")
    parameters = separator + rest
    if not _ESSENCE.fullmatch(essence) or not re.fullmatch(rf"(?:{_PARAMETER.pattern}|;\s*)*", parameters):
        raise Unmaskable("content type is malformed")
    values = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters)}
    if [name.lower() for name, *_ in _PARAMETER.findall(parameters)].count("charset") > 1:
        raise Unmaskable("content type is malformed")
    charset = _CHARSETS.get(values.get("charset", "").lower())
    declared = ContentType(essence=essence, charset=charset or "", stream=values.get("stream", ""))
    if charset is None or (declared.shape in _UNICODE and charset not in {"utf-8", "ascii"}):
        raise Unmaskable("charset is not supported")
    return declared


def refuse_binary(start: bytes) -> None:
    """Raises ``Unmaskable`` when a body that begins with ``start`` is a known binary format."""
    if _MAGIC.match(start):
        raise Unmaskable("body is binary")


def text_of(body: bytes, declared: ContentType) -> str:
    """The characters of a body; encoding them in the same charset gives back the same bytes."""
    try:
        text = body.decode(declared.charset)
    except UnicodeDecodeError:
        raise Unmaskable("body is not valid in its charset") from None
    if "\0" in text or (declared.charset not in {"utf-8", "ascii"} and _CONTROLS.search(text)):
        raise Unmaskable("body is binary")
    return text


def without_bom(text: str) -> str:
    """A text without the byte order mark before it."""
    return text.removeprefix(_BOM)
