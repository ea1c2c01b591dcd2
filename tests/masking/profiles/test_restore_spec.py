"""Where values may be put back is named: a target, methods, a path, places."""

from typing import Any

import pytest
from pydantic import ValidationError

from masking.profiles.restore_spec import RestoreSpec

GOOD: dict[str, Any] = {
    "target": "crm",
    "methods": ["POST"],
    "path": "/messages/{id}",
    "body": ["$.to"],
    "query": ["email"],
}


def test_a_whole_one_is_read() -> None:
    """As in the documentation."""
    spec = RestoreSpec.model_validate(GOOD)
    assert (spec.target, spec.methods, spec.body, spec.query) == ("crm", ("POST",), ("$.to",), ("email",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": []}, "at least 1"),
        ({"methods": ["post"]}, "upper-case letters"),
        ({"path": "messages"}, "starts with /"),
        ({"path": "/a/**/b"}, "can only be the last segment"),
        ({"body": ["to"]}, "not a path"),
        ({"body": ["$..to"]}, "a place that is named"),
        ({"query": [""]}, "name of a parameter"),
        ({"body": [], "query": []}, "name the places"),
        ({"target": None}, "valid string"),
        ({"headers": ["x"]}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], message: str) -> None:
    """Each part by itself."""
    with pytest.raises(ValidationError, match=message):
        RestoreSpec.model_validate(GOOD | change)
