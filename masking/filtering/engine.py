"""Answers as bytes: decoded within bounds, checked to be JSON, filtered.

What cannot be filtered must not be passed on, whatever a rule says of what cannot be masked.
"""

from masking.content import Shape, read_content_type, refuse_binary, text_of
from masking.encodings import Limits, decode
from masking.errors import Unmaskable, refusing
from masking.filtering.answers import Filtered, Seal, filter_list, filter_object, pass_status
from masking.filtering.sight import Sight


def check_type(content_type: str) -> None:
    """Raises ``Unmaskable`` unless a ``Content-Type`` says JSON, or a stream of it."""
    declared = read_content_type(content_type)
    if declared.essence != "application/json" or declared.shape not in (Shape.JSON, Shape.NDJSON):
        raise Unmaskable("the answer is not JSON, and only that can be filtered")


def json_text(body: bytes, *, content_type: str, content_encoding: str, limits: Limits) -> str:
    """The text of a whole JSON body; raises ``Unmaskable``."""
    check_type(content_type)
    with refusing():
        plain = decode(body, content_encoding, limits)
        refuse_binary(plain)
        return text_of(plain, read_content_type(content_type))


def filter_answer(text: str, *, sight: Sight, single: bool, failed: bool, seal: Seal) -> Filtered:
    """A whole answer without what is hidden.

    ``single``: one object was asked for by its name. ``failed``: the status says that there is none of it.
    """
    with refusing():
        if failed:
            return Filtered(text=pass_status(text, seal))
        return filter_object(text, sight) if single else filter_list(text, sight, seal)
