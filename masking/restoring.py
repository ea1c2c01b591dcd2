"""Tokens of reversible pseudonyms in a request, and the request with values in their place.

Only a token that is the whole value at a named place counts: a JSON string at a path, or a query parameter. Everything
around it stays as it is written, to the byte.
"""

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, unquote_plus

from masking.edits import Edit, apply
from masking.formats.json_document import as_inside
from masking.formats.json_spans import scan
from masking.operators import REVERSIBLE_TOKEN
from masking.profiles.paths import Step
from masking.views import json_string

type Find = Callable[[str, str], str | None]
"""The value for a token and its entity; None where it stays a token. Raises what is to end it."""


def restore_json(text: str, find: Callable[[Sequence[Step]], Find | None]) -> str:
    """A JSON text with values in the place of tokens; ``find`` tells by the steps to a string what is to be asked.

    Raises ``Unmaskable`` for what is no JSON.
    """
    return apply(text, list(_json_edits(text, find)))


def _json_edits(text: str, find: Callable[[Sequence[Step]], Find | None]) -> Iterator[Edit]:
    layout = scan(text)
    for leaf in layout.leaves:
        start, end, _, _, quoted = leaf
        token = REVERSIBLE_TOKEN.fullmatch(json_string(text[start:end]).text) if quoted and end > start else None
        asked = find(layout.steps_to(leaf)) if token else None
        value = asked(token[0], token[1]) if token and asked else None
        if token and value is not None:
            yield Edit(start=start, end=end, entity=token[1], score=1.0, replacement=as_inside(value))


def restore_query(raw: str, find: Callable[[str], Find | None]) -> str:
    """A query string with values in the place of tokens; ``find`` tells by the name of a parameter what is to be asked.

    The query has to be one that can be read.
    """
    return "&".join(_restored(pair, find) for pair in raw.split("&"))


def _restored(pair: str, find: Callable[[str], Find | None]) -> str:
    name, _, given = pair.partition("=")
    token = REVERSIBLE_TOKEN.fullmatch(unquote_plus(given))
    asked = find(unquote_plus(name)) if token else None
    value = asked(token[0], token[1]) if token and asked else None
    return pair if value is None else f"{name}={quote(value, safe='')}"
