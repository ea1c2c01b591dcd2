"""Accept headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.negotiation import Accepted, negotiate
from gatehold.demo.kubernetes.statuses import ApiError

PARTIAL_PROTOBUF = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Accepted()),
        ("*/*", Accepted()),
        ("application/json", Accepted()),
        ("application/vnd.kubernetes.protobuf, application/json", Accepted()),
        ("application/vnd.kubernetes.protobuf, */*", Accepted()),
        (f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Accepted(form="Table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Accepted(form="Table", version="v1beta1")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Accepted()),
        (
            f"{PARTIAL_PROTOBUF},application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Accepted(form="PartialObjectMetadataList"),
        ),
    ],
)
def test_the_first_clause_that_can_be_met_counts(accept: str, expected: Accepted) -> None:
    """Protobuf is passed over, JSON forms are taken in the client's order."""
    assert negotiate(accept) == expected


@pytest.mark.parametrize("accept", ["application/vnd.kubernetes.protobuf", "text/html", "application/json;as=Chart"])
def test_what_cannot_be_met_is_406(accept: str) -> None:
    """A client that takes nothing this server writes is told so."""
    with pytest.raises(ApiError) as error:
        negotiate(accept)
    assert error.value.code == 406


@given(st.text(max_size=40))
def test_any_header_is_read(accept: str) -> None:
    """No header breaks the reading."""
    try:
        negotiate(accept)
    except ApiError as error:
        code = error.code
    else:
        code = 406
    assert code == 406
