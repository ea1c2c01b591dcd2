"""Secrets in manifests of YAML that stand in a text: a log, a message, a value of a ConfigMap.

YAML is not parsed. A document that says ``kind: Secret`` anywhere has every line under its ``data:`` fields hidden, by
indentation; of a list of several kinds that hides more than it must, never less.
"""

import base64
import re
from collections.abc import Iterator

from masking.edits import Edit, shift
from masking.judging import whole
from masking.plan import Plan
from masking.profiles.spec import KindSpec

_DOCUMENT_END = re.compile(r"^---.*$", re.MULTILINE)
_LINE = re.compile(r"([ ]*(?:- +)*)(.*)")
_MEMBER = re.compile(r"(\"[^\"]*\"|'[^']*'|[^\s:#][^:]*):(?: +|$)(.*)")
_BLOCK = re.compile(r"[|>][-+0-9]*")


def manifest_edits(text: str, plan: Plan) -> Iterator[Edit]:
    """What is to be replaced in the manifests in ``text``."""
    if "kind:" not in text:
        return
    position = 0
    for end in (*(match.start() for match in _DOCUMENT_END.finditer(text)), len(text)):
        document = text[position:end]
        for kind in plan.kinds:
            if re.search(rf"^[ -]*kind: *[\"']?{re.escape(kind.kind)}[\"']? *\r?$", document, re.MULTILINE):
                yield from (shift(edit, position) for edit in _document_edits(document, kind, plan))
        position = end


def _document_edits(document: str, kind: KindSpec, plan: Plan) -> Iterator[Edit]:
    field, inner, block = "", -1, -1
    for start, column, content in _lines(document):
        if field and column > inner:
            member = None if column > block >= 0 else _MEMBER.fullmatch(content)
            skipped = 0
            if member:
                skipped = member.start(2)
                block = column if _BLOCK.fullmatch(member[2].strip()) else -1
            yield from _edit(start + skipped, content[skipped:], field, kind, plan)
            continue
        member = _MEMBER.fullmatch(content)
        name = member[1].strip("\"'") if member else ""
        field, inner, block = (name if name in kind.fields else ""), column, -1
        if field and member:
            yield from _edit(start + member.start(2), member[2], field, kind, plan)


def _lines(document: str) -> Iterator[tuple[int, int, str]]:
    """The lines that hold something: where each begins, its indentation with dashes, and what it holds."""
    position = 0
    for line in document.split("\n"):
        match = _LINE.fullmatch(line.rstrip())
        if match and match[2]:
            yield position + len(match[1]), len(match[1]), match[2]
        position += len(line) + 1


def _edit(start: int, raw: str, field: str, kind: KindSpec, plan: Plan) -> Iterator[Edit]:
    value = raw.strip().strip("\"'")
    if not value or value in {"{}", "null"} or _BLOCK.fullmatch(value) or plan.judge.is_token(value):
        return
    known, encoded = value, field in kind.encoded
    if encoded:
        known = _decoded(value) or value
        if plan.judge.is_token(known):
            return
    hidden = plan.hand.replacement(kind.treatment, kind.entity, known)
    if encoded:
        hidden = base64.b64encode(hidden.encode()).decode()
    if hidden != raw:
        yield shift(whole(kind.entity, raw.rstrip(), hidden, kind.treatment), start)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
