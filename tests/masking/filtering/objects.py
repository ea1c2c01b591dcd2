"""Objects, doors and answers for tests of filtering."""

import json
from typing import Any

from masking.filtering.sight import Sight
from policy.model import FilterObligation, Visible

TEAM_A = Sight(FilterObligation(visible=(Visible(labels=(("team", "a"),)),)))
"""Shows what carries team=a."""
WEB = Sight(FilterObligation(visible=(Visible(names=("web-*",)),)))
"""Shows what is called web-*."""
TABLE = {"kind": "Table", "apiVersion": "meta.k8s.io/v1"}
PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def pod(name: str, team: str | None = "a", revision: int = 1, **more: Any) -> dict[str, Any]:
    """A pod; without a team it carries no labels."""
    metadata = {"name": name, "namespace": "prod", "uid": f"uid-{name}", "resourceVersion": str(revision)}
    return {"metadata": metadata | ({"labels": {"team": team}} if team else {})} | more


def listed(*items: Any, kind: str = "PodList", **metadata: Any) -> str:
    """A list."""
    return json.dumps({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": list(items)})


def table(*items: Any, columns: Any = None, **metadata: Any) -> dict[str, Any]:
    """A Table of objects."""
    rows = [{"cells": [item["metadata"]["name"], "Running"], "object": item} for item in items]
    return TABLE | {"metadata": metadata, "columnDefinitions": columns, "rows": rows}


def event(kind: str, value: Any) -> str:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": value}) + "\n"


def names(text: str) -> list[str]:
    """The names of the objects in a list or Table."""
    answer = json.loads(text)
    objects = [row["object"] for row in answer["rows"]] if "rows" in answer else answer["items"]
    return [each["metadata"]["name"] for each in objects]


def no_token(_: str) -> str:
    """A seal for answers that hold no token."""
    raise AssertionError
