"""XML text that was written to be read: a tree, and nothing that XML could do besides.

Pure. Whatever begins with ``<!`` or ``<?`` is refused before a parser sees it, but for an XML declaration of UTF-8 at
the beginning. So there are no document types and no entities of one's own, no comments that split a text in two, no
CDATA and no processing instructions; ``<`` stands nowhere else in XML that is well-formed. Size, depth and number of
parts are bounded. No two elements may share the value of an attribute called ``ID``, in any spelling or namespace:
a signature refers to its element by that.
"""

import base64
import binascii
import re
from typing import Final

from lxml import etree

from gatehold.identity.exchange.wrong import Wrong, wrong

MOST_BYTES: Final = 64 * 1024
MOST_PARTS: Final = 2000
"""Elements and attributes together."""
MOST_DEPTH: Final = 24
MOST_NAMES: Final = 32
"""Attributes of one element, and namespaces declared around it: canonicalization costs their square."""

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_DECLARATION: Final = re.compile(
    r"""<\?xml version=["']1\.0["']( encoding=["'][Uu][Tt][Ff]-8["'])?( standalone=["']yes["'])?\s*\?>\s*"""
)


def decoded(assertion: str) -> bytes:
    """The XML of an assertion in base64url, with or without padding. Raises Refusal."""
    if len(assertion) > MOST_BYTES * 4 // 3 + 4:
        raise wrong(Wrong.TOO_LARGE)
    if not _BASE64URL.fullmatch(assertion):
        raise wrong(Wrong.MALFORMED)
    text = assertion.rstrip("=")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise wrong(Wrong.MALFORMED) from None
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise wrong(Wrong.MALFORMED)
    return data


def parse(data: bytes) -> etree._Element:
    """The root element. Raises Refusal."""
    if len(data) > MOST_BYTES:
        raise wrong(Wrong.TOO_LARGE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise wrong(Wrong.MALFORMED) from None
    text = text[found.end() :] if (found := _DECLARATION.match(text)) else text
    if not text.startswith("<") or "<!" in text or "<?" in text or "\0" in text:
        raise wrong(Wrong.MALFORMED)
    try:
        root = etree.fromstring(text.encode(), parser())
    except (etree.XMLSyntaxError, ValueError):
        raise wrong(Wrong.MALFORMED) from None
    _check_bounds(root)
    _check_ids(root)
    return root


def parser() -> etree.XMLParser:
    """A parser that fetches nothing and puts nothing in; each for one document."""
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )


def _check_bounds(root: etree._Element) -> None:
    level, count = [root], 0
    for _ in range(MOST_DEPTH):
        count += sum(1 + len(element.attrib) for element in level)
        if any(len(element.attrib) > MOST_NAMES or len(element.nsmap) > MOST_NAMES for element in level):
            raise wrong(Wrong.MALFORMED)
        level = [child for element in level for child in element]
        if count > MOST_PARTS or any(not isinstance(each.tag, str) for each in level):
            raise wrong(Wrong.MALFORMED)
    if level:
        raise wrong(Wrong.MALFORMED)


def _check_ids(root: etree._Element) -> None:
    values = [
        str(value)
        for element in root.iter()
        for name, value in element.attrib.items()
        if etree.QName(name).localname.lower() in ("id", "assertionid")
    ]
    if len(set(values)) != len(values):
        raise wrong(Wrong.AMBIGUOUS)
