"""What a call does, in few words. Pure. The path always stands beside it: these words leave things out."""

from collections.abc import Mapping
from typing import Any


def headline(facts: Mapping[str, Any], method: str, path: str) -> tuple[str, str]:
    """Verb and object: ``patch``, ``deployments.apps prod/api``; method and path for what is no Kubernetes call.

    Not yet made visible.
    """
    verb, resource = facts.get("verb"), facts.get("resource")
    if not isinstance(verb, str) or not verb or not isinstance(resource, str) or not resource:
        return method, path
    group, subresource = _text(facts, "group"), _text(facts, "subresource")
    kind = f"{resource}{f'.{group}' if group else ''}{f'/{subresource}' if subresource else ''}"
    place = "/".join(part for part in (_text(facts, "namespace"), _text(facts, "name")) if part)
    return verb, " ".join(part for part in (kind, place, _replicas(facts), _command(facts)) if part)


def is_unsafe(verb: str) -> bool:
    """Does a verb or method take something away?"""
    return verb.lower().startswith("delete")


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _command(facts: Mapping[str, Any]) -> str:
    command = facts.get("command")
    return f"$ {' '.join(str(part) for part in command)}" if isinstance(command, list) and command else ""


def _replicas(facts: Mapping[str, Any]) -> str:
    new, old = facts.get("replicas"), facts.get("oldReplicas")
    if not isinstance(new, int) or not isinstance(old, int) or new == old:
        return ""
    return f"({old} → {new} replicas)"
