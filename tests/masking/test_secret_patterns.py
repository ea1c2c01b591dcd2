"""Secrets are found by their form, exactly; what only speaks of secrets is not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from masking import detectors
from masking.plan import Plan
from masking.profiles import builtin
from masking.secret_patterns import SECRET_ENTITIES, SECRET_PATTERNS

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/secrets.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("secrets")


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: f"{case['entity']}-{case['value'][0]}")
def test_the_value_and_nothing_else_is_found(plan: Plan, case: dict[str, Any]) -> None:
    """The words around a value stay, so that an agent still understands the text."""
    value = "".join(case["value"])
    text = case["text"].replace("...", value, 1)
    hits = {(hit.entity, text[hit.start : hit.end]) for hit in plan.judge.hits(text)}
    assert (case["entity"], value) in hits


@pytest.mark.parametrize("text", CASES["nothing"])
def test_what_is_no_secret_is_left(plan: Plan, text: str) -> None:
    """Placeholders, names, digests and sentences are not hidden."""
    assert plan.judge.edits(text) == []


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: f"{case['entity']}-{case['value'][0]}")
def test_a_screen_matches_where_its_pattern_does(case: dict[str, Any]) -> None:
    """No screen hides a secret."""
    text = case["text"].replace("...", "".join(case["value"]), 1)
    for detector in detectors.builtin(case["entity"]):
        if detector.find(text, lifted=False, threshold=0.5):
            assert detector.screen
            assert re.search(detector.screen, text)


def test_every_kind_of_secret_has_a_case_and_is_in_the_profile() -> None:
    """None is forgotten in the tests or in the profile ``secrets``."""
    assert {case["entity"] for case in CASES["found"]} == SECRET_ENTITIES
    assert set(builtin()["secrets"].entities) == SECRET_ENTITIES


HOSTILE = ["sk-ant-abc-", "eyJ", "eyJaaaaaaaaa.", "a://b:c", "a://", "password=", 'password="', "key: ", "bearer ", "AWS = ",
           "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "gh", "ghp_a", "xoxb-", "AccountKey=", "sig=", "token", "secret=>"]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_pattern_takes_long_on_repetitions(plan: Plan, unit: str) -> None:
    """16 KB of anything is judged within the time that a pattern may take: past it, this would raise."""
    plan.judge.edits(unit * (16_384 // len(unit)))


def test_patterns_compile_once_each() -> None:
    """Two patterns of one entity are two forms, not the same one twice."""
    assert len({pattern.regex for pattern in SECRET_PATTERNS}) == len(SECRET_PATTERNS)
