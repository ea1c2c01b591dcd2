"""Laws of a request for access: understood in one way or refused as malformed, whatever is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.agent_api.access_documents import AccessDocument, read
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family

GOOD: dict[str, Any] = {
    "target": "main",
    "verbs": ["patch", "get"],
    "resource": "deployments.apps/scale",
    "namespace": "prod",
    "name": "api",
    "duration": "30m",
    "justification": "T-1",
}


def written(**changes: Any) -> bytes:
    """A good document, but for this; ``...`` leaves a key out."""
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value is not ...}).encode()


def test_a_good_one_is_read() -> None:
    """Every key of it."""
    document = read(written())
    assert (document.seconds, document.justification) == (1800.0, "T-1")
    wish = document.wish(Family.KUBERNETES)
    assert (wish.verbs, wish.kind, wish.namespace, wish.name) == (
        ("get", "patch"),
        ("apps", "deployments", "scale"),
        "prod",
        "api",
    )
    alone = read(written(verbs=..., resource=..., namespace=..., name=..., rule="r")).wish(Family.HTTP)
    assert (alone.rule, alone.verbs, alone.resource, alone.namespace) == ("r", (), "", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": ...},
        {"target": 1},
        {"target": "a b"},
        {"verbs": "get"},
        {"verbs": []},
        {"verbs": ["get", 1]},
        {"verbs": ...},
        {"resource": ...},
        {"resource": ""},
        {"resource": None},
        {"resource": "*"},
        {"resource": "Pods"},
        {"resource": "pods/exec"},
        {"resource": "pods/portforward"},
        {"resource": "services/proxy"},
        {"resource": "a" * 3000},
        {"verbs": ["proxy"]},
        {"verbs": ["*"]},
        {"namespace": "*"},
        {"namespace": "a/b"},
        {"namespace": None},
        {"name": "../x"},
        {"name": "a\u202eb"},
        {"duration": ...},
        {"duration": "forever"},
        {"duration": "-5m"},
        {"justification": ...},
        {"justification": "x" * 1001},
        {"more": 1},
        {"rule": ""},
    ],
)
def test_a_bad_one_is_refused(changes: dict[str, Any]) -> None:
    """As malformed, in words that hold nothing of it."""
    with pytest.raises(Refusal) as caught:
        read(written(**changes)).wish(Family.KUBERNETES)
    assert caught.value.code is Code.MALFORMED


@given(
    st.binary(max_size=300)
    | st.dictionaries(st.sampled_from([*GOOD, "rule", "x"]), st.text() | st.none()).map(json.dumps)
)
def test_anything_is_read_or_refused(written: bytes | str) -> None:
    """Never another error."""
    body = written if isinstance(written, bytes) else written.encode()
    assert isinstance(_outcome(body), AccessDocument) or _outcome(body) is Code.MALFORMED


def _outcome(body: bytes) -> object:
    try:
        return read(body)
    except Refusal as refusal:
        return refusal.code
