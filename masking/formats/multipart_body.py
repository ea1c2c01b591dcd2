"""What is to be replaced in a body of several parts: in each part by its own type, and in the headers of the parts.

A field of a form is judged by its name as well. The whole body has one character per byte (latin-1); each part has a
charset and perhaps a transfer encoding of its own.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from masking import views
from masking.content import ContentType, Shape, refuse_binary, text_of, without_bom
from masking.edits import Edit, apply, merge, shift
from masking.errors import Unmaskable
from masking.formats import multipart, transfer
from masking.formats.multipart import Parameter, Part
from masking.formats.segments import hidden, rule_for
from masking.plan import Plan

type ReadBody = Callable[[str, ContentType, int], list[Edit]]
"""The edits of a body of some type, at some depth of bodies in bodies."""
type ReadText = Callable[[str, str], list[Edit]]
"""The edits of a text with a name."""

_DEEPEST = 3
_STRUCTURAL = frozenset({"content-type", "content-disposition", "content-transfer-encoding", "content-length"})
_KEYED = (Shape.TEXT, Shape.JSON)


class MultipartMasker:
    """Masks bodies of several parts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, read_body: ReadBody, read_text: ReadText) -> None:
        self._plan = plan
        self._read_body = read_body
        self._read_text = read_text

    def edits(self, text: str, boundary: str, depth: int = 0) -> list[Edit]:
        """What is to be replaced; raises ``Unmaskable`` for what two readers could take apart differently."""
        if depth > _DEEPEST:
            raise Unmaskable("multipart body is nested too deeply")
        found: list[Edit] = []
        for part in multipart.parts(text, boundary):
            name = multipart.name_of(part, text)
            if self._plan.judge.tells(name):
                raise Unmaskable("a field's name holds protected data")
            found += self._in_headers(part, text)
            found += self._in_content(part, text, name, depth)
        return found

    def _in_headers(self, part: Part, text: str) -> Iterator[Edit]:
        for name, (start, value) in part.headers.items():
            if name not in _STRUCTURAL:
                yield from (shift(edit, start) for edit in self._read_text(value, name))
            elif name != "content-disposition" and self._plan.judge.edits(value):
                raise Unmaskable("the type of a part holds protected data")
        for parameter in part.parameters:
            yield from self._in_parameter(parameter, text)

    def _in_parameter(self, parameter: Parameter, text: str) -> Iterator[Edit]:
        raw = text[parameter.start : parameter.end]
        value = multipart.characters(raw)
        if parameter.name.endswith("*"):
            value = views.percent(value.rpartition("'")[2]).text
        found = merge(self._plan.judge.edits(value, parameter.name))
        if not found:
            return
        masked = apply(value, found)
        if not parameter.quoted or '"' in masked or "\\" in masked:
            raise Unmaskable("a file's name holds protected data")
        yield _as_one(found, parameter.start, parameter.end, masked.encode().decode("latin-1"))

    def _in_content(self, part: Part, text: str, name: str, depth: int) -> Iterator[Edit]:
        declared = multipart.content_type(part)
        encoding = part.header("content-transfer-encoding")
        raw = text[part.start : part.end]
        octets = transfer.decoded(raw, encoding).encode("latin-1")
        refuse_binary(octets)
        content = text_of(octets, declared)
        body = without_bom(content)
        mark = len(content) - len(body)
        found = merge(shift(edit, mark) for edit in self._in_text(body, declared, name, depth))
        if not found:
            return
        if transfer.is_plain(encoding):
            yield from (shift(edit, part.start) for edit in _in_octets(content, found, declared.charset))
            return
        masked = apply(content, found).encode(declared.charset).decode("latin-1")
        yield _as_one(found, part.start, part.end, transfer.encoded(masked, encoding))

    def _in_text(self, body: str, declared: ContentType, name: str, depth: int) -> Iterable[Edit]:
        rule = rule_for(name, self._plan) if name else None
        shape = declared.shape
        if rule and shape in _KEYED:
            found = hidden(body, rule, self._plan)
            if shape is Shape.JSON:
                return (replace(edit, replacement=json.dumps(edit.replacement)) for edit in found)
            return found
        if rule and body:
            raise Unmaskable("a part cannot be hidden for its name")
        if shape is Shape.TEXT and not declared.is_yaml:
            return self._read_text(body, name)
        return self._read_body(body, declared, depth + 1)


def _as_one(found: list[Edit], start: int, end: int, replacement: str) -> Edit:
    """Several edits as one of the whole that they stand in."""
    strictest = max(found, key=lambda edit: (edit.strictness, edit.score))
    return replace(strictest, start=start, end=end, replacement=replacement)


def _in_octets(content: str, found: list[Edit], charset: str) -> Iterator[Edit]:
    """Edits of characters as edits of bytes, one character each."""
    position = octets = 0
    for edit in found:
        start = octets + len(content[position : edit.start].encode(charset))
        end = start + len(content[edit.start : edit.end].encode(charset))
        position, octets = edit.end, end
        yield replace(edit, start=start, end=end, replacement=edit.replacement.encode(charset).decode("latin-1"))
