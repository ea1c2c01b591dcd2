"""Ready-made rules, each pack one file with its parameters and the tests it comes with.

A pack's rules are named ``<pack>/<rule>``. Whoever uses a pack may narrow it to agents and targets, choose its
parameters, and use it again under another name: two rules of one name are an error.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import ValidationError

from policy.errors import GateholdError
from policy.packs.parameters import KIND, Parameter, ParameterError, ParametersDocument, Place, chosen, put_in
from policy.rules.schema import Metadata, PackUse, PolicyDocument, PolicyTestDocument, RuleSpec

_SUFFIX = ".yaml"
_NAMESPACES = "namespaces"


class PackError(GateholdError):
    """There is no such pack, or it cannot be used like this; ``place`` leads to what is wrong in its entry."""

    def __init__(self, message: str, place: Place = ()) -> None:
        self.place = place
        super().__init__(message)


def names() -> tuple[str, ...]:
    """All packs, sorted."""
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files(__name__).iterdir() if _is_pack(file.name)))


def parameters(name: str) -> Mapping[str, Parameter]:
    """What users of a pack may choose, by name. Raises ``PackError``."""
    _check(name)
    found = next((document for document in _documents(name) if document["kind"] == KIND), None)
    return ParametersDocument.model_validate(found).parameters if found else {}


def load(use: PackUse) -> PolicyDocument:
    """The rules of a pack, under their full names and as asked for. Raises ``PackError``."""
    document, places = put_in(_document(use.name, "Policy"), _values(use))
    policy = _validated(document, places, use)
    prefix = use.prefix or use.name
    rules = tuple(_used(rule, use, prefix) for rule in policy.rules)
    return policy.model_copy(update={"metadata": Metadata(name=prefix), "rules": rules})


def tests(name: str) -> PolicyTestDocument:
    """The tests of a pack, for the target ``cluster``. Raises ``PackError``."""
    return PolicyTestDocument.model_validate(_document(name, "PolicyTest"))


def doors(name: str) -> tuple[PolicyDocument, ...]:
    """Policies that the tests of a pack need beside it, where it has no doors of its own. Raises ``PackError``."""
    _check(name)
    others = (found for found in _documents(name) if found["kind"] == "Policy" and found["metadata"]["name"] != name)
    return tuple(PolicyDocument.model_validate(found) for found in others)


def _values(use: PackUse) -> dict[str, Any]:
    """The values of all parameters in this use; ``namespaces`` of the use is that parameter."""
    declared, given = parameters(use.name), dict(use.parameters or {})
    if use.namespaces and _NAMESPACES not in declared:
        raise PackError(f"no rule of pack {use.name} is about namespaces", (_NAMESPACES,))
    if use.namespaces and _NAMESPACES in given:
        raise PackError("give `namespaces` once: here, or among the parameters", ("parameters", _NAMESPACES))
    given |= {_NAMESPACES: use.namespaces} if use.namespaces else {}
    try:
        return chosen(declared, given)
    except ParameterError as error:
        raise PackError(f"pack {use.name}: {error}", ("parameters", error.name)) from None


def _validated(document: Any, places: Mapping[Place, str], use: PackUse) -> PolicyDocument:
    """The policy. Raises ``PackError`` where a chosen value is none that a rule takes at its place."""
    try:
        return PolicyDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = next((name for place, name in places.items() if first["loc"][: len(place)] == place), "")
        if not name:
            raise
        why = first["msg"].removeprefix("Value error, ")
        raise PackError(f"pack {use.name}: parameter {name}: {why}", ("parameters", name)) from None


def _used(rule: RuleSpec, use: PackUse, prefix: str) -> RuleSpec:
    key = "http" if rule.http else "kubernetes"
    narrower: dict[str, Any] = {"targets": use.targets} if use.targets else {}
    changed: dict[str, Any] = {
        "name": f"{prefix}/{rule.name}",
        key: getattr(rule, key).model_copy(update=narrower),
    }
    if use.agents:
        changed["agents"] = use.agents
    return rule.model_copy(update=changed)


def _is_pack(file_name: str) -> bool:
    return file_name.endswith(_SUFFIX)


def _check(name: str) -> None:
    if name not in names():
        raise PackError(f"there is no pack {name!r}; there are {', '.join(names())}")


def _document(name: str, kind: str) -> dict[str, Any]:
    _check(name)
    return next(found for found in _documents(name) if (found["kind"], found["metadata"]["name"]) == (kind, name))


@cache
def _read(name: str) -> str:
    return (files(__name__) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def _documents(name: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(_read(name))
