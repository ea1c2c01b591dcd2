"""Entities that a profile describes itself: by a pattern, by words, at paths and under names."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from masking.engine import MaskingEngine

type MakeEngine = Callable[[Mapping[str, Any]], MaskingEngine]


def masked(engine: MaskingEngine, text: str) -> str:
    return engine.mask_text(text, profiles=("own",))[0]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("project Falcon is late", "project <CODE_NAME> is late"),
        ("FALCON, falcon; (Falcon)", "<CODE_NAME>, <CODE_NAME>; (<CODE_NAME>)"),
        ("Falcon", "<CODE_NAME>"),
        ("x-falcon-y", "x-<CODE_NAME>-y"),
        ("blue moon.", "<CODE_NAME>."),
        ("c++ code", "<CODE_NAME> code"),
        ("falcons, Falconer, pre_falcon, blue  moon, c+", None),
    ],
)
def test_words_of_a_deny_list_are_found_whole_and_in_any_case(
    make_engine: MakeEngine, text: str, want: str | None
) -> None:
    """A word ends where no letter, digit or underscore follows; signs in it mean themselves."""
    own = make_engine({"entities": {"CODE_NAME": {"denyList": ["Falcon", "Blue Moon", "C++"]}}})
    assert masked(own, text) == (text if want is None else want)


def test_patterns_are_read_without_case_unless_they_say_so(make_engine: MakeEngine) -> None:
    """A part of a pattern may mind it."""
    own = make_engine({"entities": {"A": {"regex": r"\bE-[0-9]{3}\b"}, "B": {"regex": r"\b(?-i:F)-[0-9]{3}\b"}}})
    assert masked(own, "E-123 e-123 F-123 f-123") == "<A> <A> <B> f-123"


def test_a_weak_pattern_needs_a_word_that_speaks_for_it(make_engine: MakeEngine) -> None:
    """In the text or in the name of the member."""
    own = make_engine({"entities": {"BADGE": {"regex": "[0-9]{5}", "score": 0.3, "context": ["badge"]}}})
    assert masked(own, "room 12345") == "room 12345"
    assert masked(own, "badge 12345") == "badge <BADGE>"
    body = own.mask_body(b'{"badgeNumber": "12345", "n": "12345"}', content_type="application/json", profiles=("own",))
    assert body.body == b'{"badgeNumber": "<BADGE>", "n": "12345"}'


def test_an_own_entity_may_be_treated_like_any_other(make_engine: MakeEngine) -> None:
    """With a token that can be put back, at a path and by its looks."""
    hidden = {"operator": "pseudonym", "reversible": True}
    own = make_engine(
        {
            "entities": {"EMPLOYEE": {"regex": "E-[0-9]+"} | hidden},
            "paths": [{"path": "$.items[*].who", "entity": "EMPLOYEE"} | hidden],
        }
    )
    body = b'{"items": [{"who": "E-17", "boss": "E-17", "n": 17}]}'
    once = own.mask_body(body, content_type="application/json", profiles=("own",))
    [item] = json.loads(once.body)["items"]
    assert item["who"] == item["boss"] == re.fullmatch("<EMPLOYEE:[a-z]{32}>", item["who"])[0]  # type: ignore[index]
    assert (item["n"], once.counts) == (17, {"EMPLOYEE": 2})
