"""One document against the shape of its kind: what is wrong, at which line, and what was probably meant."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gatehold.config.documents import API_VERSION, KINDS
from gatehold.config.source import Document, Place
from policy.model import Problem

_QUOTED = re.compile(r"'([^']*)'")
_LEADING_KEY = re.compile(r"`([A-Za-z0-9_.]+)`")


def kind_of(document: Document) -> str | None:
    """The kind that a document says it is of; None where it says none."""
    kind = document.value.get("kind") if isinstance(document.value, dict) else None
    return kind if isinstance(kind, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is wrong with a document, and what of it is right.

    With problems, ``document`` and ``value`` are what is left without the wrong parts: good for finding more problems,
    and for nothing else. ``value`` is None where nothing is left.
    """

    document: Document
    value: BaseModel | None = None
    problems: tuple[Problem, ...] = ()


def judge(document: Document, base: Path) -> Judgement:
    """Hold a document against the shape of its kind. Paths in it are relative to ``base``."""
    if problem := _envelope_problem(document):
        return Judgement(document=document, problems=(problem,))
    model, problems, left = KINDS[document.value["kind"]], tuple[Problem, ...](), document
    for _ in range(_ROUNDS):
        try:
            value = model.model_validate(left.value, context={"base": base})
            return Judgement(document=left, value=value, problems=problems)
        except ValidationError as error:
            details = _details(error)
        problems = problems or tuple(_problems(document, model, details))
        wrong = {_place(left.value, detail, missing=False) for detail in details}
        if () in wrong:
            break
        left = left.without(wrong)
    return Judgement(document=document, problems=problems)


def _envelope_problem(document: Document) -> Problem | None:
    """What keeps a document from being taken for one of its kind."""
    if not isinstance(document.value, dict):
        return document.problem((), "a document is a mapping with apiVersion, kind and metadata")
    version, kind = document.value.get("apiVersion"), kind_of(document)
    if version != API_VERSION:
        said = "`apiVersion` is missing" if version is None else f"`apiVersion` {version!r} is not known"
        return document.problem(("apiVersion",), f"{said}; write {API_VERSION}")
    if kind not in KINDS:
        said = "`kind` is missing" if kind is None else f"`kind` {kind!r} is not known"
        return document.problem(("kind",), f"{said}{meant(kind, KINDS)}")
    return None


def _details(error: ValidationError) -> list[ErrorDetails]:
    """The errors but for those that only follow from others."""
    details = error.errors(include_url=False, include_input=False)
    places = [detail["loc"] for detail in details]

    def follows(detail: ErrorDetails) -> bool:
        size = len(detail["loc"])
        # A list is said to be too short where its items are wrong.
        return detail["type"] == "too_short" and any(len(p) > size and p[:size] == detail["loc"] for p in places)

    own = [detail for detail in details if detail["type"] != "default_factory_not_called" and not follows(detail)]
    return own or details


def meant(word: object, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a message; else all that is possible, where that is little."""
    words = sorted(filter(None, known))
    close = get_close_matches(word, words, n=1) if isinstance(word, str) else []
    if close:
        return f"; did you mean {close[0]}?"
    return f"; one of {', '.join(words)}" if 0 < len(words) <= 8 else ""


_WORDS = {
    "string_type": "should be a text",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "int_type": "should be a whole number",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping",
    "model_type": "should be a mapping",
    "model_attributes_type": "should be a mapping",
    "too_short": "should not be empty",
}
"""How a type of error is told; all others are told in pydantic's words."""
_ROUNDS = 5


def _problems(document: Document, model: type[BaseModel], details: Iterable[ErrorDetails]) -> Iterator[Problem]:
    said: set[Place] = set()
    for detail in details:
        place = _place(document.value, detail)
        # Each branch of a union complains about the same value; the first says enough.
        if place not in said:
            yield document.problem(_pointed_at(place, detail), _message(detail, model, place))
        said.add(place)


def _pointed_at(place: Place, detail: ErrorDetails) -> Place:
    """The key that a message about a whole mapping begins with, where it is there; dots lead further in."""
    named = _LEADING_KEY.match(_said(detail))
    return (*place, *named[1].split(".")) if named else place


def _place(value: Any, detail: ErrorDetails, *, missing: bool = True) -> Place:
    """Where in the document it is; what the model calls the branches of a union is left out.

    ``missing``: whether a key that is not there is part of it.
    """
    place: list[int | str] = []
    for step in detail["loc"]:
        if step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int):
            value = value[step]
            place.append(step)
    return (*place, detail["loc"][-1]) if missing and detail["type"] == "missing" else tuple(place)


def _message(detail: ErrorDetails, model: type[BaseModel], place: Place) -> str:
    *parent, last = place or ("",)
    match detail["type"]:
        case "extra_forbidden":
            return f"{_path(parent)}unknown key `{last}`{meant(last, keys_at(model, parent))}"
        case "missing":
            return f"{_path(parent)}`{last}` is missing"
        case "literal_error":
            expected = str(detail.get("ctx", {}).get("expected", ""))
            return f"{_path(place)}should be {' or '.join(_QUOTED.findall(expected)) or expected.lower()}"
        case _:
            return f"{_path(place)}{_said(detail)}"


def _said(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, Exception):
        return str(error)
    said = detail["msg"].replace("Input should", "should").replace("Value should", "should")
    return _WORDS.get(detail["type"], said)


def _path(place: Iterable[int | str]) -> str:
    """``spec.listen[0].port: ``; empty at the top."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{text.removeprefix('.')}: " if text else ""


def keys_at(model: type[BaseModel], place: Iterable[int | str]) -> set[str]:
    """The keys that may stand at ``place``."""
    models = {model}
    for step in place:
        inner = {found for each in models for found in _models_of(each, step)}
        models = inner or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_of(model: type[BaseModel], key: int | str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
