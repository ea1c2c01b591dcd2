"""What a body is: which format, which charset, and whether it is what it says.

A body whose format cannot be masked (images, PDF, protobuf, CBOR, archives), whose charset is not listed, or whose
bytes contradict its content type is refused.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from masking.errors import Unmaskable


class Shape(StrEnum):
    """The formats that can be masked."""

    JSON = "json"
    NDJSON = "ndjson"
    SSE = "sse"
    FORM = "form"
    CSV = "csv"
    XML = "xml"
    HTML = "html"
    MULTIPART = "multipart"
    FOLDED = "folded"
    TEXT = "text"


_CHARSETS = {
    "": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1",
    "iso_8859-1": "latin-1",
    "latin1": "latin-1",
    "latin-1": "latin-1",
    "iso-8859-15": "iso8859-15",
    "iso8859-15": "iso8859-15",
    "latin-9": "iso8859-15",
    "latin9": "iso8859-15",
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
    "application/csv": Shape.CSV,
    "text/csv": Shape.CSV,
    "text/x-csv": Shape.CSV,
    "text/comma-separated-values": Shape.CSV,
    "text/tab-separated-values": Shape.CSV,
    "application/xml": Shape.XML,
    "text/xml": Shape.XML,
    "text/html": Shape.HTML,
    "multipart/alternative": Shape.MULTIPART,
    "multipart/form-data": Shape.MULTIPART,
    "multipart/mixed": Shape.MULTIPART,
    "multipart/related": Shape.MULTIPART,
    "text/calendar": Shape.FOLDED,
    "text/directory": Shape.FOLDED,
    "text/ldif": Shape.FOLDED,
    "text/rfc822-headers": Shape.FOLDED,
    "text/vcard": Shape.FOLDED,
    "text/x-ldif": Shape.FOLDED,
    "text/x-vcalendar": Shape.FOLDED,
    "text/x-vcard": Shape.FOLDED,
    "application/javascript": Shape.TEXT,
    "application/x-javascript": Shape.TEXT,
    "application/graphql": Shape.TEXT,
    "application/openmetrics-text": Shape.TEXT,
}
_UNICODE = frozenset({Shape.JSON, Shape.NDJSON, Shape.SSE})
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"})
_ESSENCE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9!#$&^_.+-]+)\s*=\s*(?:\"([^\"\\]*)\"|([^\s;\"]*))\s*")
_MAGIC = re.compile(
    rb"%PDF-|%!PS-|\{\\rtf|\x89PNG|GIF8[79]a|\xff\xd8\xff|BM.{4}\x00{4}|II\*\x00|MM\x00\*|RIFF.{4}(?:WEBP|WAVE|AVI )|"
    rb"\x00\x00\x01\x00|.{4}ftyp|OggS\x00|fLaC\x00|ID3[\x02-\x04]|\x1aE\xdf\xa3|wOF[F2]|\x00\x01\x00\x00\x00|OTTO\x00|"
    rb"PK(?:\x03\x04|\x05\x06|\x07\x08)|\x1f[\x8b\x9d\xa0]|BZh[1-9](?:1AY|\x17rE)|\x28\xb5\x2f\xfd|[\x50-\x5f]\x2aM\x18|\xfd7zXZ|"
    rb"7z\xbc\xaf|Rar!\x1a\x07|\x04\x22M\x18|!<arch>|.{257}ustar|\xd0\xcf\x11\xe0|\x7fELF|\xca\xfe\xba\xbe|"
    rb"\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\x00asm|SQLite format 3\x00|PAR1\x15|Obj\x01|\xd9\xd9\xf7|k8s\x00|"
    rb"\xff\xfe|\xfe\xff|\x00\x00\xfe\xff|\+/v[89+/]",
    re.DOTALL,
)
"""How documents, pictures, sounds, fonts, archives, programs, databases and texts in UTF-16, -32 and -7 begin."""
_CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_BOM = "\ufeff"
_LONGEST_HEADER = 4096
"""Characters of a ``Content-Type`` that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentType:
    """A ``Content-Type``: ``essence`` in lower case, empty when it is missing; charset as Python calls it."""

    essence: str
    charset: str
    stream: str = ""
    """The ``stream`` parameter, by which Kubernetes marks watches."""
    boundary: str = ""
    """What parts the parts of a multipart body."""
    headless: bool = False
    """Whether a table says that its first record is no header (RFC 4180, 3)."""

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
        if self.essence.endswith("+xml"):
            return Shape.XML
        if self.is_yaml or self.essence.startswith("text/"):
            return Shape.TEXT
        raise Unmaskable("content type cannot be masked")


def read_content_type(header: str) -> ContentType:
    """Reads a ``Content-Type`` header; raises ``Unmaskable`` when it is malformed or its charset is not listed."""
    essence, separator, rest = header.strip().partition(";")
    essence = essence.strip().lower()
    if not essence and not separator:
        return ContentType(essence="", charset="utf-8")
    parameters = separator + rest
    if len(header) > _LONGEST_HEADER:
        raise Unmaskable("content type is too long")
    if not _ESSENCE.fullmatch(essence) or not re.fullmatch(rf"(?:{_PARAMETER.pattern}|;\s*)*", parameters):
        raise Unmaskable("content type is malformed")
    values = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters)}
    names = [name.lower() for name, *_ in _PARAMETER.findall(parameters)]
    if names.count("charset") > 1 or names.count("boundary") > 1:
        raise Unmaskable("content type is malformed")
    declared = ContentType(
        essence=essence,
        charset=charset_of(values.get("charset", "")),
        stream=values.get("stream", ""),
        boundary=values.get("boundary", ""),
        headless=values.get("header", "").lower() == "absent",
    )
    if essence.startswith("multipart/"):
        # One character per byte: every part has a charset of its own.
        declared = replace(declared, charset="latin-1")
    elif declared.shape in _UNICODE and declared.charset not in {"utf-8", "ascii"}:
        raise Unmaskable("charset is not supported")
    return declared


def charset_of(label: str) -> str:
    """A charset as Python calls it; raises ``Unmaskable`` when it is not listed."""
    charset = _CHARSETS.get(label.strip().lower())
    if charset is None:
        raise Unmaskable("charset is not supported")
    return charset


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
