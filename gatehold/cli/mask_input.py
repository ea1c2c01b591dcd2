"""What ``gatehold mask`` is given: what a file holds, by its name or its first bytes, and in which content coding."""

from pathlib import PurePath

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".eml": "message/rfc822",
    ".geojson": "application/geo+json",
    ".har": "application/json",
    ".htm": "text/html",
    ".html": "text/html",
    ".ipynb": "application/json",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/plain",
    ".ndjson": "application/x-ndjson",
    ".sse": "text/event-stream",
    ".svg": "image/svg+xml",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
CODINGS = {".br": "br", ".gz": "gzip", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_ADVICE = (
    ("by path", "a profile with paths needs JSON; leave it out, or convert the file"),
    ("by kind or path", "a profile with kinds or paths, as kubernetes, needs JSON; leave it out, or convert the file"),
    ("content type", "say what it holds with --content-type, as in --content-type text/plain"),
    ("not valid JSON", "if it is not JSON, say so: --content-type text/plain"),
    ("not valid in its charset", "say its charset: --content-type 'text/plain; charset=latin-1'"),
    ("charset", "utf-8, ascii, latin-1, latin-9 and windows-1252 are read"),
    ("multipart", "the type needs the boundary: --content-type 'multipart/form-data; boundary=...'"),
    ("binary", "a gateway blocks it as well, unless a rule has onUnmaskable"),
    ("too large", "a gateway reads limits.maxMaskedBody"),
    ("name holds protected data", "a name cannot be hidden without changing what the document means"),
)


def media_type(file: str) -> str:
    """The content type that a file's name tells, whatever coding it is in; empty: it does not tell."""
    path = PurePath(file)
    if path.suffix.lower() in CODINGS:
        path = path.with_suffix("")
    return MEDIA_TYPES.get(path.suffix.lower(), "")


def content_coding(file: str, start: bytes) -> str:
    """The content coding of a file, by its name; of standard input (``-``), by how it begins."""
    if file == "-":
        return next((coding for magic, coding in _MAGIC.items() if start.startswith(magic)), "")
    return CODINGS.get(PurePath(file).suffix.lower(), "")


def advice(reason: str) -> str:
    """What to do where something could not be masked for this reason; empty: there is nothing to say."""
    return next((said for words, said in _ADVICE if words in reason), "")
