"""Conditions on large bodies of http calls, evaluated in the processes that mask large bodies.

``FarBody`` stands for a body here, ``gatehold.body_reader`` reads it there. Where no process answers, or not in time,
the condition is an error: a wall stands, and a door stays shut.
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gatehold.body_workers import LARGE, BodyWorkers
from masking.errors import Unmaskable
from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.wire import Headers, read_headers
from policy.expressions import Elsewhere, Evaluation, Outcome
from policy.model import UNKNOWN, WireRequest

_UNANSWERED = "the process that reads large bodies gave no answer"


def left_there(action: Action, wire: WireRequest, workers: BodyWorkers) -> Action:
    """The action, with a large body left to ``workers``: conditions on it are asked for in a thread."""
    if not isinstance(action, HttpAction) or len(wire.body or b"") < LARGE:
        return action
    return dataclasses.replace(action, elsewhere=FarBody(workers, wire.body or b"", read_headers(wire)))


class FarBody(Elsewhere):
    """The body of one call. What was asked before is not asked again."""

    def __init__(self, workers: BodyWorkers, body: bytes, headers: Headers) -> None:
        self._workers = workers
        self._body = body
        kind = headers.content_type
        self._facts = {"type": None if kind is UNKNOWN else kind, "encoded": headers.encoded}
        self._answers: dict[str, dict[str, Any]] = {}

    def __repr__(self) -> str:
        return f"<FarBody: {len(self._body)} bytes>"

    def evaluate(self, source: str, values: Mapping[str, Any]) -> Evaluation:
        """What a condition comes to."""
        answer = self._ask(source, values, "bool")
        try:
            return Evaluation(outcome=Outcome(answer["outcome"]), detail=str(answer["detail"]))
        except (KeyError, ValueError):
            return Evaluation(outcome=Outcome.ERROR, detail=_UNANSWERED)

    def text(self, source: str, values: Mapping[str, Any]) -> str | None:
        """What an expression says."""
        found = self._ask(source, values, "string").get("text")
        return found if isinstance(found, str) else None

    def _ask(self, source: str, values: Mapping[str, Any], result: str) -> dict[str, Any]:
        times = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
        plain = {name: value for name, value in values.items() if name not in times}
        question = {"source": source, "result": result, "values": plain, "times": times}
        asked = json.dumps(question)
        if asked not in self._answers:
            try:
                self._answers[asked], _ = self._workers.exchange({"condition": question, **self._facts}, self._body)
            except Unmaskable:
                return {}
        return self._answers[asked]
