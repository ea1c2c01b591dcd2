"""Law: only a call that is wholly known is made again, with no credential of then; writes only where they are asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config import Configuration, load
from gatehold.history.reading import call_of
from gatehold.replaying.planning import Again, Skip, plan
from policy.history.inputs import RecordedCall
from policy.model import WireRequest
from recordings.flow_parts import CREDENTIAL_HEADERS
from tests.gatehold.history.recorded import Camera

BASIC = Path(__file__).parents[3] / "examples" / "basic"
PODS = "/api/v1/namespaces/prod/pods"


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(BASIC)


@pytest.fixture(scope="module")
def camera(configuration: Configuration) -> Camera:
    return Camera(configuration)


def planned(camera: Camera, path: str, *, writes: bool = False, target: str = "crm", **more: Any) -> Again | Skip:
    """What becomes of a recorded call."""
    call = recorded(camera, path, target=target, **more)
    call = replace(call, recorded=replace(call.recorded, code="allowed")) if writes else call
    return plan(call, camera.configuration.traits[target], include_writes=writes)


def recorded(camera: Camera, path: str, **more: Any) -> RecordedCall:
    call = call_of(camera.record(path, **more))
    assert call is not None
    return call


def test_a_read_is_made_again(camera: Camera) -> None:
    """With its query and headers, but for those of the message and the connection."""
    headers = (
        ("Host", "crm"), ("X-Trace", "7"), ("Authorization", "Bearer planted"), ("Connection", "close"),
        ("Accept-Encoding", "br"), ("Gatehold-Approval", "apr_1"), ("Content-Length", "0"), ("X-Own", "***"),
    )  # fmt: skip
    again = planned(camera, "/customers/7?x=%61", headers=headers)
    assert isinstance(again, Again)
    assert (again.method, again.path, again.body, again.is_write) == ("GET", "/customers/7?x=%61", b"", False)
    assert again.headers == ((b"X-Trace", b"7"), (b"Accept-Encoding", b"identity"))


def test_writes_are_made_where_they_are_asked_for(camera: Camera) -> None:
    """With their bodies."""
    body, headers = b'{"a":1}', (("Content-Type", "application/json"),)
    assert planned(camera, "/customers", method="POST", body=body, headers=headers) is Skip.WRITE
    again = planned(camera, "/customers", method="POST", body=body, headers=headers, writes=True)
    assert isinstance(again, Again)
    assert (again.body, again.is_write) == (body, True)


@pytest.mark.parametrize("code", ["default-deny", "approval-pending", "approval-denied", "dlp-blocked"])
def test_a_write_that_did_not_pass_is_never_made(camera: Camera, configuration: Configuration, code: str) -> None:
    """An agent that was refused gets it done by nobody's replay; one that waited came again. Reads are asked again."""
    write, read = recorded(camera, "/customers/7", method="DELETE"), recorded(camera, "/customers/7")
    traits = configuration.traits["crm"]
    assert isinstance(planned(camera, "/customers/7", method="DELETE", writes=True), Again)
    refused = [replace(each, recorded=replace(each.recorded, verdict="deny", code=code)) for each in (write, read)]
    assert plan(refused[0], traits, include_writes=True) is Skip.REFUSED
    assert isinstance(plan(refused[1], traits), Again)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (f"/customers/{'ghp_' + 'a1B2' * 9}", {}),
        (f"/customers?token={'ghp_' + 'a1B2' * 9}", {}),
        ("/customers", {"headers": (("X-Note", "ghp_" + "a1B2" * 9),)}),
        ("/customers", {"method": "POST", "writes": True, "headers": (("Content-Type", "application/json"),),
                        "body": b'{"key": "ghp_%b"}' % (b"a1B2" * 9)}),
    ],
)  # fmt: skip
def test_what_was_masked_is_not_made_again(camera: Camera, path: str, more: dict[str, Any]) -> None:
    """Whatever part of it was."""
    assert planned(camera, path, **more) is Skip.MASKED


def test_what_is_not_known_is_not_made_again(camera: Camera, configuration: Configuration) -> None:
    """No word on what was masked, a body that was not kept, a path that has more than one reading."""
    assert planned(camera, "/customers", noted="") is Skip.UNKNOWN
    call = recorded(camera, "/customers")
    assert call.input is not None
    traits = configuration.traits["crm"]
    assert plan(replace(call, input=replace(call.input, body="gone")), traits) is Skip.NO_BODY
    bad = replace(call, request=WireRequest(method="GET", path="/a/../b", headers=(), body=b""))
    assert plan(bad, traits) is Skip.MALFORMED


@pytest.mark.parametrize(
    ("path", "target", "headers"),
    [
        ("/chat", "crm", (("Connection", "Upgrade"), ("Upgrade", "websocket"))),
        ("/events", "crm", (("Accept", "text/event-stream"),)),
        (f"{PODS}?watch=true", "main", ()),
        (f"{PODS}/web/log?follow=1", "main", ()),
        (f"{PODS}/web/log?follow", "main", ()),
        (f"{PODS}/web/log?follow=yes", "main", ()),
        (f"{PODS}/web/log?%66ollow=", "main", ()),
    ],
)
def test_what_has_no_end_is_not_made_again(
    camera: Camera, path: str, target: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """Even where writes are asked for."""
    assert planned(camera, path, target=target, headers=headers, writes=True) is Skip.STREAM


def test_reads_of_a_cluster(camera: Camera) -> None:
    """Are told from writes as the policy tells them."""
    assert isinstance(planned(camera, PODS, target="main"), Again)
    assert isinstance(planned(camera, f"{PODS}/web/log?follow=false", target="main"), Again)
    assert planned(camera, f"{PODS}/web", target="main", method="DELETE") is Skip.WRITE


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [*(name.decode() for name in CREDENTIAL_HEADERS), "X_Api_Key", "X-Trace", "Proxy-Authorization"]
            ),
            st.sampled_from(["planted", "***", "a", ""]),
        ),
        max_size=6,
    )
)
def test_no_credential_is_sent(headers: list[tuple[str, str]]) -> None:
    """However the record came to hold one."""
    call = _plain_call()
    request = replace(call.request, headers=tuple(headers))
    again = plan(replace(call, request=request), _CONFIGURATION.traits["crm"])
    assert isinstance(again, Again)
    assert {name for name, _ in again.headers} <= {b"X-Trace", b"Accept-Encoding"}
    assert b"***" not in {value for _, value in again.headers}


_CONFIGURATION = load(BASIC)


def _plain_call() -> RecordedCall:
    return recorded(Camera(_CONFIGURATION), "/customers/7")
