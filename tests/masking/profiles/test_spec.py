"""Documents of mask profiles: what is wrong in one is said when it is read."""

from typing import Any

import pytest
from pydantic import ValidationError

from masking.profiles import MaskProfileSpec
from masking.profiles.spec import KNOWN_ENTITIES


def read(document: dict[str, Any]) -> MaskProfileSpec:
    return MaskProfileSpec.model_validate(document)


def test_the_document_of_the_documentation_is_read() -> None:
    """Keys are in camel case; attributes are not."""
    spec = read(
        {
            "extends": ["pii"],
            "threshold": 0.5,
            "entities": {
                "CREDIT_CARD": {"operator": "mask", "keepLast": 4},
                "EMPLOYEE_ID": {"regex": "\\bE-[0-9]{6}\\b", "score": 0.8, "operator": "pseudonym"},
            },
            "keys": [{"match": "(?i)passwo?r?d|secret|token", "operator": "redact"}],
            "paths": [{"path": "$.items[*].full_name", "entity": "PERSON", "operator": "pseudonym"}],
        }
    )
    assert spec.entities["CREDIT_CARD"].keep_last == 4
    assert spec.entities["EMPLOYEE_ID"].custom
    assert spec.keys[0].treatment.operator == "redact"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"unknown": 1}, "Extra inputs"),
        ({"threshold": 1.5}, "less than or equal to 1"),
        ({"entities": {"NO_SUCH_ENTITY": {}}}, "`entities.NO_SUCH_ENTITY` is not built in: give regex or denyList"),
        ({"entities": {"EMAIL_ADDRESS": {"regex": "x"}}}, "`entities.EMAIL_ADDRESS` is built in"),
        ({"entities": {"EMAIL_ADRESS": {}}}, "did you mean EMAIL_ADDRESS"),
        ({"entities": {"EMAIL_ADDRESS": {"reversible": True}}}, "`reversible` needs operator: pseudonym"),
        ({"keys": [{"match": "x", "operator": "hash", "reversible": True}]}, "`reversible` needs operator: pseudonym"),
        ({"kinds": [{"kind": "X", "fields": [], "operator": "pseudonym", "reversible": True}]}, "Extra inputs"),
        ({"entities": {"X": {"denyList": ["", "y"]}}}, "a word of a deny list"),
        ({"entities": {"X": {"regex": "(a|a)*$"}}}, "takes too long"),
        ({"entities": {"EMAIL_ADDRESS": {"numbers": "keep"}}}, "Input should be"),
        ({"entities": {"lower": {"regex": "x"}}}, "pattern"),
        ({"entities": {"X": {"regex": "("}}}, "not a regular expression"),
        ({"entities": {"EMAIL_ADDRESS": {"operator": "encrypt"}}}, "Input should be"),
        ({"entities": {"EMAIL_ADDRESS": {"operator": "mask", "keepLast": 99}}}, "less than or equal to 6"),
        ({"keys": [{"match": "["}]}, "not a regular expression"),
        ({"keys": [{"operator": "redact"}]}, "Field required"),
        ({"paths": [{"path": "items"}]}, "not a path"),
        ({"paths": [{"path": "$.a[?(@.b)]"}]}, "not a path"),
    ],
)
def test_what_is_wrong_is_said(document: dict[str, Any], message: str) -> None:
    """Unknown keys, entities, patterns, operators and paths are refused."""
    with pytest.raises(ValidationError, match=message):
        read(document)


def test_an_unknown_entity_may_be_switched_off() -> None:
    """A profile that extends another takes away what that one defines."""
    assert not read({"entities": {"EMPLOYEE_ID": {"enabled": False}}}).entities["EMPLOYEE_ID"].enabled


def test_an_entity_of_an_extended_profile_needs_no_pattern() -> None:
    """Whether there is one is known when profiles are resolved."""
    assert read({"extends": ["x"], "entities": {"EMPLOYEE_ID": {"operator": "hash"}}}).entities


def test_entities_of_all_kinds_are_known() -> None:
    """Presidio's and the secrets."""
    assert {"EMAIL_ADDRESS", "UK_NHS", "JWT", "PRIVATE_KEY"} <= KNOWN_ENTITIES
