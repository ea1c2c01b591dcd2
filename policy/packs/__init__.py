"""Ready-made rules, each pack one file with the tests it comes with.

A pack's rules are named ``<pack>/<rule>``. Whoever uses a pack may narrow it to agents, targets and namespaces, and
may use it again under another name: two rules of one name are an error.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from policy.errors import GateholdError
from policy.rules.schema import KubernetesSpec, Metadata, PackUse, PolicyDocument, PolicyTestDocument, RuleSpec

_SUFFIX = ".yaml"


class PackError(GateholdError):
    """There is no such pack, or it cannot be used like this."""


def names() -> tuple[str, ...]:
    """All packs, sorted."""
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files(__name__).iterdir() if _is_pack(file.name)))


def load(use: PackUse) -> PolicyDocument:
    """The rules of a pack, under their full names and narrowed as asked for. Raises ``PackError``."""
    document = PolicyDocument.model_validate(_document(use.name, "Policy"))
    if use.namespaces and not any(_takes_namespaces(rule) for rule in document.rules):
        raise PackError(f"no rule of pack {use.name} is about namespaces")
    prefix = use.prefix or use.name
    rules = tuple(_used(rule, use, prefix) for rule in document.rules)
    return document.model_copy(update={"metadata": Metadata(name=prefix), "rules": rules})


def tests(name: str) -> PolicyTestDocument:
    """The tests of a pack, for the target ``cluster``. Raises ``PackError``."""
    return PolicyTestDocument.model_validate(_document(name, "PolicyTest"))


def _used(rule: RuleSpec, use: PackUse, prefix: str) -> RuleSpec:
    key = "http" if rule.http else "kubernetes"
    match = getattr(rule, key)
    narrower: dict[str, Any] = {"targets": use.targets} if use.targets else {}
    if use.namespaces and _takes_namespaces(rule):
        narrower["namespaces"] = use.namespaces
    changed: dict[str, Any] = {"name": f"{prefix}/{rule.name}", key: match.model_copy(update=narrower)}
    if use.agents:
        changed["agents"] = use.agents
    return rule.model_copy(update=changed)


def _takes_namespaces(rule: RuleSpec) -> bool:
    return isinstance(rule.kubernetes, KubernetesSpec) and rule.kubernetes.namespaces is not None


def _is_pack(file_name: str) -> bool:
    return file_name.endswith(_SUFFIX)


def _document(name: str, kind: str) -> dict[str, Any]:
    if name not in names():
        raise PackError(f"there is no pack {name!r}; there are {', '.join(names())}")
    return next(document for document in _documents(name) if document["kind"] == kind)


@cache
def _read(name: str) -> str:
    return (files(__name__) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def _documents(name: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(_read(name))
