"""Lines of JSON: each is a text of its own."""

from collections.abc import Callable

import pytest

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.json_document import JsonMasker
from masking.formats.ndjson import ndjson_edits
from masking.plan import Plan


@pytest.fixture(scope="module")
def objects(make_plan: Callable[..., Plan]) -> JsonMasker:
    return JsonMasker(make_plan("pii"))


def test_every_line_is_masked_and_empty_lines_stay(objects: JsonMasker) -> None:
    """Line ends are kept as they are."""
    text = '{"e":"a@example.com"}\r\n\n[1]\n"b@example.com"'
    edits = merge(ndjson_edits(text, objects))
    assert apply(text, edits) == '{"e":"<EMAIL_ADDRESS>"}\r\n\n[1]\n"<EMAIL_ADDRESS>"'


@pytest.mark.parametrize("text", ['{"a":1} {"b":2}', '{"a":1}\nx', "{\n}"])
def test_a_line_that_is_no_json_is_refused(objects: JsonMasker, text: str) -> None:
    """Nothing of it could be trusted."""
    with pytest.raises(Unmaskable, match="JSON"):
        ndjson_edits(text, objects)
