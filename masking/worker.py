"""One plan at work: what is to be replaced in a body of any shape."""

from collections.abc import Callable

from masking.content import ContentType, Shape
from masking.edits import Edit
from masking.errors import Unmaskable
from masking.formats.form import form_edits
from masking.formats.json_document import JsonMasker
from masking.formats.json_screen import NotJson
from masking.formats.ndjson import ndjson_edits
from masking.formats.sse import sse_edits
from masking.formats.text import TextMasker
from masking.judging import whole
from masking.plan import Plan


class Worker:
    """Masks by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._objects = JsonMasker(plan)
        self._texts = TextMasker(plan, self._objects)

    def edits(self, text: str, declared: ContentType) -> list[Edit]:
        """What is to be replaced in a whole body, possibly overlapping."""
        self._refuse_yaml(declared)
        shape = declared.shape
        return self._sniffed(text) if shape is None else self.reader(shape)(text)

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
                return lambda text: form_edits(text, self.plan)
            case Shape.TEXT:
                return self._texts.edits

    def stream_shape(self, declared: ContentType) -> Shape:
        """The shape of the records of a stream: a stream of JSON is one JSON text per line."""
        self._refuse_yaml(declared)
        shape = declared.shape or Shape.TEXT
        if shape is Shape.FORM:
            raise Unmaskable("content type cannot be streamed")
        return Shape.NDJSON if shape is Shape.JSON else shape

    def _sniffed(self, text: str) -> list[Edit]:
        """The edits of a body that does not say what it is: JSON if it is JSON, else text."""
        if text.lstrip(" \t\r\n")[:1] not in {"{", "["}:
            return self._texts.edits(text)
        try:
            return self._objects.edits(text)
        except NotJson:
            if self.plan.placed:
                raise
            return self._texts.edits(text)

    def _refuse_yaml(self, declared: ContentType) -> None:
        if declared.is_yaml and self.plan.placed:
            raise Unmaskable("YAML cannot be masked by kind or path")
