"""Law: an object is seen where it fits one door, by name and by all labels; one that cannot be read is not seen."""

from typing import Any

import pytest

from masking.filtering.sight import Identity, Sight, identity
from masking.formats.json_screen import parse
from policy.model import FilterObligation, Visible

CASES: list[tuple[list[Visible], bool]] = [
    ([], False),
    ([Visible()], True),
    ([Visible(names=("web-*",))], True),
    ([Visible(names=("api", "web-1"))], True),
    ([Visible(names=())], False),
    ([Visible(names=("web",))], False),
    ([Visible(labels=(("team", "a"),))], True),
    ([Visible(labels=(("app", "x"), ("team", "a")))], True),
    ([Visible(labels=(("app", "x"), ("team", "b")))], False),
    ([Visible(labels=(("missing", ""),))], False),
    ([Visible(names=("api",), labels=(("team", "a"),))], False),
    ([Visible(names=("api",)), Visible(labels=(("team", "a"),))], True),
]


@pytest.mark.parametrize(("doors", "seen"), CASES)
def test_doors(doors: list[Visible], seen: bool) -> None:
    """Doors are alternatives; within one everything must fit."""
    one = Identity(name="web-1", labels={"team": "a", "app": "x"})
    assert Sight(FilterObligation(visible=tuple(doors))).shows(one) is seen


@pytest.mark.parametrize(
    "text",
    ["1", "[]", "{}", '{"metadata":null}', '{"metadata":{}}', '{"metadata":{"name":""}}', '{"metadata":{"name":1}}',
     '{"metadata":{"name":"a","name":"b"}}', '{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
     '{"metadata":{"name":"a","labels":[]}}', '{"metadata":{"name":"a","labels":{"x":1}}}',
     '{"metadata":{"name":"a","labels":{"x":"1","x":"2"}}}', '{"metadata":{"name":"a","uid":7}}',
     '{"metadata":{"name":"a","namespace":[]}}', '{"Metadata":{"name":"a"}}'],
)  # fmt: skip
def test_what_cannot_be_read_has_no_identity(text: str) -> None:
    """Missing, of a wrong type, or twice."""
    assert identity(parse(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"metadata":{"name":"a"}}', Identity(name="a")),
        ('{"metadata":{"name":"a","labels":null,"namespace":null}}', Identity(name="a")),
        (
            '{"metadata":{"name":"\\u0061","uid":"u","labels":{"x":"1"}}}',
            Identity(name="a", uid="u", labels={"x": "1"}),
        ),
    ],
)
def test_what_can_be_read(text: str, expected: Any) -> None:
    """Go writes null for what is empty."""
    assert identity(parse(text)) == expected


def test_objects_without_a_uid_are_told_apart_by_name() -> None:
    """Computed objects have none."""
    assert Identity(name="a", namespace="n").key == "n/a"
    assert Identity(name="a", namespace="n", uid="u").key == "u"
