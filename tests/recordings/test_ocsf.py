"""The words of OCSF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.codes import Code
from recordings.ocsf import DISPOSITIONS, SEVERITIES, EventClass, Severity, Status, activity, base, clip


@pytest.mark.parametrize(
    ("verb", "expected"),
    {
        "POST": 1,
        "create": 1,
        "GET": 2,
        "watch": 2,
        "PATCH": 3,
        "update": 3,
        "deletecollection": 4,
        "impersonate": 99,
        "PROPFIND": 99,
        "": 99,
    }.items(),
)
def test_verbs_are_activities(verb: str, expected: int) -> None:
    """HTTP methods and Kubernetes verbs are create, read, update, delete, or something else."""
    assert activity(verb) == expected


def test_only_an_allowed_call_is_allowed() -> None:
    """No code but ``allowed`` has the disposition Allowed; severity is given or low."""
    assert [code for code in Code if DISPOSITIONS.get(code) == 1] == [Code.ALLOWED]
    assert all(isinstance(SEVERITIES.get(code, Severity.LOW), Severity) for code in Code)


def test_identifiers_belong_together() -> None:
    """Category and type follow from class and activity; time is in milliseconds."""
    event = base(EventClass.API, 2, time=1.5, uid="u", severity=Severity.LOW, status=Status.SUCCESS)
    assert (event["category_uid"], event["type_uid"], event["time"]) == (6, 600302, 1500)


@given(st.text(), st.integers(1, 20))
def test_clipped_text_is_short(text: str, limit: int) -> None:
    """Never longer than the limit, and a beginning of what it was."""
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert text.startswith(clipped.removesuffix("…"))
