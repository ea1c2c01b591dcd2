"""One plan at work: what is to be replaced in a body of any shape."""

import re
from collections.abc import Callable

from masking.content import ContentType, Shape
from masking.edits import Edit
from masking.errors import Unmaskable
from masking.formats.csv_table import TableMasker
from masking.formats.folded import folded_edits
from masking.formats.form import form_edits
from masking.formats.json_document import JsonMasker
from masking.formats.json_screen import NotJson
from masking.formats.markup import MarkupMasker
from masking.formats.multipart_body import MultipartMasker
from masking.formats.ndjson import ndjson_edits
from masking.formats.sse import sse_edits
from masking.formats.text import TextMasker
from masking.judging import whole
from masking.plan import Plan

_WHOLE = frozenset({Shape.CSV, Shape.FOLDED, Shape.FORM, Shape.HTML, Shape.MULTIPART, Shape.XML})
"""Shapes whose records cannot be told without what came before them."""
_PATHLESS = frozenset({Shape.CSV, Shape.HTML, Shape.MULTIPART, Shape.XML})
"""Shapes that may hold what a path names, where the path does not lead."""
_MARKUP = re.compile(r"\s*<(?:[!?]|[A-Za-z][\w:.-]*[\s/>])")


class Worker:
    """Masks by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._objects = JsonMasker(plan)
        self._texts = TextMasker(plan, self._objects)
        self._tables = TableMasker(plan, self._texts)
        self._markup = MarkupMasker(plan, self._texts)
        self._parts = MultipartMasker(plan, self._edits, self.text_edits)

    def edits(self, text: str, declared: ContentType) -> list[Edit]:
        """What is to be replaced in a whole body, possibly overlapping."""
        return self._edits(text, declared, 0)

    def text_edits(self, text: str, key: str) -> list[Edit]:
        """What is to be replaced in a text that ``key`` names; all of it, if the name tells."""
        rule = self.plan.keys.find(key) if key else None
        if rule is None or self.plan.judge.is_token(text):
            return self._texts.edits(text, key)
        hidden = self.plan.hand.replacement(rule.treatment, rule.entity, text)
        return [whole(rule.entity, text, hidden, rule.treatment)]

    def reader(self, shape: Shape) -> Callable[[str], list[Edit]]:
        """What finds the edits in a text of one shape."""
        match shape:
            case Shape.JSON:
                return self._objects.edits
            case Shape.NDJSON:
                return lambda text: ndjson_edits(text, self._objects)
            case Shape.SSE:
                return lambda text: sse_edits(text, self._texts, self._objects)
            case Shape.FORM:
                return lambda text: form_edits(text, self.plan, self._texts)
            case Shape.FOLDED:
                return lambda text: list(folded_edits(text, self._texts))
            case Shape.CSV:
                return self._tables.edits
            case Shape.XML | Shape.HTML:
                return lambda text: self._markup_edits(text, html=shape is Shape.HTML)
            case Shape.MULTIPART:
                raise Unmaskable("multipart body has no boundary")
            case Shape.TEXT:
                return self._texts.edits

    def stream_shape(self, declared: ContentType) -> Shape:
        """The shape of the records of a stream: a stream of JSON is one JSON text per line."""
        self._refuse_yaml(declared)
        shape = declared.shape or Shape.TEXT
        if shape in _WHOLE:
            raise Unmaskable("content type cannot be streamed")
        return Shape.NDJSON if shape is Shape.JSON else shape

    def _edits(self, text: str, declared: ContentType, depth: int) -> list[Edit]:
        self._refuse_yaml(declared)
        shape = declared.shape
        if shape in _PATHLESS and self.plan.paths:
            raise Unmaskable("content type cannot be masked by path")
        match shape:
            case None:
                return self._sniffed(text)
            case Shape.MULTIPART:
                return self._parts.edits(text, declared.boundary, depth)
            case Shape.CSV:
                tabs = declared.essence == "text/tab-separated-values"
                found = self._tables.edits(text, tabs=tabs, headless=declared.headless)
                return [*found, *self._texts.edits(text)] if _begins(text, "{[") else found
            case Shape.TEXT if _begins(text, "<"):
                return [*self._texts.edits(text), *self._markup_within(text)]
            case _:
                return self.reader(shape)(text)

    def _sniffed(self, text: str) -> list[Edit]:
        """The edits of a body that does not say what it is: JSON if it is JSON, else text, perhaps with markup."""
        if not _begins(text, "{["):
            return [*self._texts.edits(text), *(self._markup_within(text) if _begins(text, "<") else ())]
        try:
            return self._objects.edits(text)
        except NotJson:
            if self.plan.placed:
                raise
            return self._texts.edits(text)

    def _markup_edits(self, text: str, *, html: bool) -> list[Edit]:
        """The edits of a body that says that it is markup, also if it is JSON."""
        return self._sniffed(text) if _begins(text, "{[") else self._markup.edits(text, html=html)

    def _markup_within(self, text: str) -> list[Edit]:
        """The edits of a text that may be markup, where names tell more than looks."""
        return self._markup.edits(text, html=True) if _MARKUP.match(text) else []

    def _refuse_yaml(self, declared: ContentType) -> None:
        if declared.is_yaml and self.plan.placed:
            raise Unmaskable("YAML cannot be masked by kind or path")


def _begins(text: str, marks: str) -> bool:
    """Whether the first character that is no space is one of these."""
    first = text.lstrip(" \t\r\n")[:1]
    return bool(first) and first in marks
