"""Reads large bodies of http calls for the conditions on them, in a process of its own. See ``gatehold.far_bodies``."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from policy.actions.bodies import read_body
from policy.actions.readings import Reading
from policy.actions.wire import Headers
from policy.expressions import Environment, Expression
from policy.model import UNKNOWN, Family


class Reader:
    """Reads bodies and evaluates conditions on them. Keeps the last one, for a call has several conditions."""

    def __init__(self) -> None:
        self._last: tuple[bytes, str | None, bool, Reading] | None = None

    def forget(self) -> None:
        """Keep nothing."""
        self._last = None

    def answer(self, facts: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        """What ``FarBody`` is told."""
        question, reading = facts["condition"], self._reading(facts, body)
        values = question["values"] | {key: datetime.fromisoformat(at) for key, at in question["times"].items()}
        activation = Environment.for_family(Family.HTTP).activation({**values, "body": reading.value})
        expression = _compiled(question["source"], question["result"])
        if question["result"] == "string":
            return {"text": expression.text(activation)}
        found = expression.evaluate(activation)
        return {"outcome": found.outcome.value, "detail": found.detail}

    def _reading(self, facts: Mapping[str, Any], body: bytes) -> Reading:
        kind, encoded = facts["type"], facts["encoded"]
        if self._last is None or self._last[:3] != (body, kind, encoded):
            names = frozenset({"content-encoding"} if encoded else ())
            headers = Headers(fields={}, names=names, content_type=UNKNOWN if kind is None else kind, upgrade="")
            self._last = (body, kind, encoded, read_body(body, headers))
        return self._last[3]


@lru_cache(256)
def _compiled(source: str, result: Literal["bool", "string"]) -> Expression:
    return Environment.for_family(Family.HTTP).compile(source, result=result)
