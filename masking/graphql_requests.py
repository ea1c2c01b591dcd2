"""Requests to GraphQL servers whose answers are masked: whoever asks chooses the names of what comes back.

``{ x: ssn }`` answers under ``x``, where no rule by name or path finds it and no word of the name makes a weak pattern
surer. Such aliases are refused before the request leaves, and so is what cannot be read: a document that is none, a
stored document of which only the name is sent (GraphQL over HTTP; automatic persisted queries; graphql-ws).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from masking.content import ContentType, Shape, read_content_type
from masking.engine import MaskingEngine
from masking.errors import Unmaskable, refusing
from masking.formats import json_screen
from masking.formats.graphql import Alias, NotGraphql, aliases, may_be_document
from masking.formats.multipart import field_texts
from masking.plan import Plan

_DOCUMENT_TYPES = frozenset({"application/graphql"})
_STORED = frozenset({"documentid", "document_id", "doc_id", "queryid", "query_id", "id"})
_BESIDE = frozenset({"variables", "operationname", "extensions"})
_SELF_EVIDENT = frozenset({"CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE"})
"""Entities that a check digit or a suffix list settles: words beside them change nothing."""
_PLACES = frozenset({"data", "items", "key", "kind", "name", "stringData", "value"})
"""Names by which Kubernetes objects and ``{"name": N, "value": V}`` are told."""
_DEEPEST = 64


class HiddenAlias(Unmaskable):
    """The answer would hold masked values under names that the mask does not know."""


def refuse_aliases(
    engine: MaskingEngine | Plan,
    body: bytes,
    *,
    content_type: str = "",
    query: str = "",
    profiles: tuple[str, ...] = (),
) -> None:
    """Raises ``HiddenAlias`` when a request asks for masked fields under other names, or may do so.

    ``body``: of the request, without content coding. ``query``: of its URL, without the question mark, encoded.
    ``profiles``: by which its answer is masked. Requests that hold no GraphQL pass.
    """
    if isinstance(engine, MaskingEngine):
        if not profiles:
            return
        engine = engine.plan(profiles)
    try:
        with refusing():
            for document in _documents(body, content_type, query):
                _judge(document, engine)
    except Unmaskable as error:
        raise HiddenAlias(error.reason) from None


def _judge(document: str, plan: Plan) -> None:
    try:
        found = aliases(document)
    except NotGraphql:
        # Without a colon no reader, however lenient, finds an alias: other query languages have braces as well.
        if ":" in document:
            raise HiddenAlias("the GraphQL document cannot be read") from None
        return
    if any(_hides(alias, plan) for alias in found):
        raise HiddenAlias("an alias would hide a masked field")


def _hides(alias: Alias, plan: Plan) -> bool:
    """Whether the value is treated otherwise under its alias than under its own name."""
    if alias.name == alias.field:
        return False
    if plan.placed or (plan.pairs and alias.field in _PLACES) or plan.keys.find(alias.field) is not None:
        return True
    if plan.ner.named(alias.field) - plan.ner.named(alias.name):
        return True
    return bool(plan.judge.lifted_by(alias.field) - plan.judge.lifted_by(alias.name) - _SELF_EVIDENT)


def _documents(body: bytes, content_type: str, query: str) -> Iterator[str]:
    """Every text in a request that a server could take for a document."""
    yield from _of_pairs(parse_qsl(query, keep_blank_values=True, errors="replace"))
    if not body:
        return
    try:
        declared = read_content_type(content_type)
    except Unmaskable:
        # A charset of which the mask knows nothing, with GraphQL in it perhaps: only UTF-8 is told.
        declared = ContentType(essence="", charset="utf-8")
    yield from _of_body(body, declared)


def _of_body(body: bytes, declared: ContentType) -> Iterator[str]:
    shape = _shape(declared)
    if shape is Shape.MULTIPART:
        yield from _of_parts(body, declared)
        return
    text = body.decode("utf-8-sig", "replace")
    if ("\0" in text or "\ufffd" in text) and '"query"' in text.replace("\0", "").lower():
        raise HiddenAlias("the GraphQL document cannot be read")
    if declared.essence in _DOCUMENT_TYPES:
        yield text
    elif shape is Shape.FORM:
        yield from _of_pairs(parse_qsl(text, keep_blank_values=True, errors="replace"))
    elif text.lstrip()[:1] in {"{", "["}:
        yield from _of_text(text)
    elif may_be_document(text):
        yield text


def _of_parts(body: bytes, declared: ContentType) -> Iterator[str]:
    """Of a form of several parts (GraphQL multipart requests), which may as well hold something else."""
    try:
        fields = list(field_texts(body, declared))
    except Unmaskable:
        if re.search(rb"(?i)operations|query", body):
            raise
        return
    yield from _of_pairs(fields)


def _shape(declared: ContentType) -> Shape | None:
    try:
        return declared.shape
    except Unmaskable:
        return None


def _of_text(text: str) -> Iterator[str]:
    """Of a text that begins like JSON: as JSON if it is JSON, else by itself."""
    try:
        value = json_screen.parse(text)
    except json_screen.NotJson:
        if may_be_document(text) or re.search(r"(?i)\bquery\b", text):
            yield text
        return
    yield from _of_value(value, 0)


def _of_value(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise HiddenAlias("the request is nested too deeply")
    if isinstance(value, list):
        for inner in value:
            yield from _of_value(inner, depth + 1)
    elif isinstance(value, tuple):
        yield from _of_pairs(value)
        for _, inner in value:
            if isinstance(inner, list | tuple):
                yield from _of_value(inner, depth + 1)


def _of_pairs(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """The documents among members or parameters, whose names some servers take in any case."""
    members = [(name.lower(), value) for name, value in pairs]
    names = {name for name, _ in members}
    stated = [value for name, value in members if name == "query" and isinstance(value, str) and value.strip()]
    if not stated and (_is_stored(names) or _has_extension(members)):
        raise HiddenAlias("the GraphQL document is not in the request")
    yield from filter(may_be_document, stated)
    for name, value in members:
        if name == "operations" and isinstance(value, str):
            yield from _of_text(value)


def _is_stored(names: set[str]) -> bool:
    """Whether these are the members of a request that names its document: those, and nothing else."""
    named = names & _STORED
    return bool(named) and names <= _STORED | _BESIDE | {"query"} and (named != {"id"} or bool(names & _BESIDE))


def _has_extension(members: Iterable[tuple[str, Any]]) -> bool:
    """Whether the extensions name a persisted query; in a URL they are a JSON text."""
    return any(name == "extensions" and "persistedquery" in str(value).lower() for name, value in members)
