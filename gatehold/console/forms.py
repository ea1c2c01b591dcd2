"""What a form sends: ``application/x-www-form-urlencoded``, bounded, strictly read. Pure."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 300

type Form = Mapping[str, tuple[str, ...]]
"""Every value of every field, in the order in which they were sent."""


class BadForm(ValueError):
    """What was sent is no form that a page of ours could have sent."""


def parse(body: bytes) -> Form:
    """The fields of a form. Raises ValueError for what is none: bad UTF-8, bad escapes, too many fields."""
    text = body.decode("ascii")
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS)
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs if text else ():
        found[name] = (*found.get(name, ()), value)
    return found


def one(form: Form, name: str, otherwise: str = "") -> str:
    """The value of a field that is sent once at most. Raises BadForm where it is sent again."""
    values = form.get(name, ())
    if len(values) > 1:
        raise BadForm(f"the field {name!a} was sent {len(values)} times")
    return values[0] if values else otherwise
