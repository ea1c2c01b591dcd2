"""A suggestion as a document: YAML with what it was made of as comments."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from policy.history.suggesting import Seen, Suggestion
from policy.rules.schema import API_VERSION


def document(suggestion: Suggestion, name: str) -> str:
    """The policy document as text; empty where there is no rule to suggest."""
    if not suggestion.rules:
        return ""
    return "\n".join(_lines(suggestion, name)) + "\n"


def document_json(suggestion: Suggestion, name: str) -> dict[str, Any] | None:
    """The same as a value."""
    rules = [dict(each.rule) for each in suggestion.rules]
    return _head(name) | {"rules": rules} if rules else None


def told(seen: Seen) -> str:
    """``12 calls, 2026-01-31T10:00Z to 2026-02-01T09:30Z``."""
    calls = f"{seen.calls} call{'' if seen.calls == 1 else 's'}"
    first, last = (datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%MZ") for time in (seen.first, seen.last))
    return f"{calls}, {first}" if first == last else f"{calls}, {first} to {last}"


def _head(name: str) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": "Policy", "metadata": {"name": name}}


def _lines(suggestion: Suggestion, name: str) -> Iterator[str]:
    yield "# Made of recorded calls. Read every rule before you use it: what was done is not what ought to be done."
    for reason, count in sorted(suggestion.left_out.items()):
        yield f"# left out, {count}: {_comment(reason)}"
    yield "# Doors only: walls, masks, limits and conditions are yours to add, or to keep."
    yield from _yaml(_head(name))
    yield "rules:"
    for each in suggestion.rules:
        for what, seen in each.seen:
            yield f"  # {_comment(what)}: {told(seen)}"
        first, *further = _yaml(each.rule)
        yield f"  - {first}"
        yield from (f"    {line}" for line in further)


def _yaml(value: Mapping[str, Any]) -> list[str]:
    text = yaml.safe_dump(dict(value), default_flow_style=None, sort_keys=False, width=120, allow_unicode=False)
    return text.splitlines()


def _comment(text: str) -> str:
    """A text without anything that could end its line."""
    return json.dumps(text)[1:-1]
