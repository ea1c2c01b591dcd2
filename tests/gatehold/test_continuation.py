"""Law: a token of a filtered list tells its holder nothing and serves nobody but its holder, for this list."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.continuation import Continuation, ListCall, continuation
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId, TargetName

AGENT = Agent(issuer="corp", subject="planner-1", session=SessionId("s1"))
PATH = "/api/v1/namespaces/prod/pods"
LIST = ListCall(agent=AGENT, target=TargetName("main"), path=f"{PATH}?labelSelector=app%3Dweb&limit=2")
CLEAR = base64.urlsafe_b64encode(
    json.dumps({"v": "meta.k8s.io/v1", "rv": 7, "start": "hidden-one\0"}).encode()
).decode()
SEALER = Continuation(bytes(range(32)))


def _of(**changed: Any) -> ListCall:
    return dataclasses.replace(LIST, **changed)


def test_a_token_comes_back() -> None:
    """In a form that needs no escaping, and never twice the same."""
    sealed = SEALER.seal(CLEAR, LIST)
    assert SEALER.open(sealed, LIST) == CLEAR
    assert set(sealed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert sealed != SEALER.seal(CLEAR, LIST)


def test_a_token_tells_nothing() -> None:
    """Neither the name of the next object nor how long it is."""
    assert b"hidden" not in base64.urlsafe_b64decode(SEALER.seal(CLEAR, LIST) + "==")
    assert len({len(SEALER.seal("x" * size, LIST)) for size in (1, 60, 200)}) == 1


@pytest.mark.parametrize(
    "other",
    [_of(agent=dataclasses.replace(AGENT, session=SessionId("s2"))), _of(agent=dataclasses.replace(AGENT, subject="other")),
     _of(agent=dataclasses.replace(AGENT, issuer="other")), _of(target=TargetName("staging")),
     _of(path=f"{PATH}?limit=2"), _of(path=f"{PATH}?labelSelector=app%3Dapi"), _of(path="/api/v1/pods?labelSelector=app%3Dweb"),
     _of(path=f"{PATH}?labelSelector=app%3Dweb&fieldSelector=x%3Dy")],
)  # fmt: skip
def test_a_token_is_for_this_list_and_session(other: ListCall) -> None:
    """Another agent, session, target, path or selector cannot use it."""
    sealed = SEALER.seal(CLEAR, LIST)
    with pytest.raises(Refusal) as refused:
        SEALER.open(sealed, other)
    assert refused.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    "query",
    [
        "limit=500&labelSelector=app%3Dweb",
        "labelSelector=app=web&continue=x&limit=1",
        "labelSelector=app%3Dweb&timeout=9s&resourceVersion=0",
    ],
)
def test_pages_of_one_list_may_differ(query: str) -> None:
    """In their size, their order, and what clients do not repeat."""
    assert SEALER.open(SEALER.seal(CLEAR, LIST), _of(path=f"{PATH}?{query}")) == CLEAR


@pytest.mark.parametrize(
    "token", [CLEAR, "x", "", "ä", "A" * 20_000, "AQ", "=", base64.urlsafe_b64encode(bytes(300)).decode()]
)
def test_other_tokens_are_refused(token: str) -> None:
    """Those of the server, too: they name a place to go on from."""
    with pytest.raises(Refusal):
        SEALER.open(token, LIST)


@given(at=st.integers(0, 200), flip=st.integers(1, 255))
def test_a_changed_token_is_refused(at: int, flip: int) -> None:
    """Any bit."""
    raw = bytearray(base64.urlsafe_b64decode(SEALER.seal(CLEAR, LIST) + "=="))
    raw[at] ^= flip
    with pytest.raises(Refusal):
        SEALER.open(base64.urlsafe_b64encode(raw).decode(), LIST)


@given(token=st.text(max_size=600))
def test_whatever_a_server_writes_comes_back(token: str) -> None:
    """A token is opaque."""
    if not any("\ud800" <= character <= "\udfff" for character in token):
        assert SEALER.open(SEALER.seal(token, LIST), LIST) == token


def test_what_is_sent() -> None:
    """The token is opened in its place; everything else keeps its bytes."""
    sealed = SEALER.seal("to+ken/=", LIST)
    path = f"{PATH}?labelSelector=app%3Dweb&%63ontinue={sealed}&x=%7e;&"
    assert SEALER.outgoing(_of(path=path)) == f"{PATH}?labelSelector=app%3Dweb&%63ontinue=to%2Bken%2F%3D&x=%7e;&"
    for unchanged in (PATH, f"{PATH}?", f"{PATH}?continue=&limit=2", f"{PATH}?Continue=x", f"{PATH}?continue=x;"):
        assert SEALER.outgoing(_of(path=unchanged)) == unchanged
    with pytest.raises(Refusal):
        SEALER.outgoing(_of(path=f"{PATH}?continue={CLEAR}"))


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("limit=1&labelSelector=team%3Dx", "labelSelector=team%3Dx"),
        ("%6cimit=1&fieldSelector=metadata.name%21%3Dguess&limit=2&a", "fieldSelector=metadata.name%21%3Dguess&a"),
        ("labelSelector=&limit=1", "labelSelector="),
        ("limit=1&labelselector=x", "limit=1&labelselector=x"),
        ("limit=1", "limit=1"),
    ],
)
def test_chunks_answer_no_guesses(query: str, sent: str) -> None:
    """Where an agent chooses what is counted, it gets no chunks to count."""
    assert SEALER.outgoing(_of(path=f"{PATH}?{query}")) == f"{PATH}?{sent}"


@pytest.mark.parametrize(
    ("query", "sent"),
    [("includeObject=None", "includeObject=Metadata"), ("a=b&includeObject=No%6ee&c", "a=b&includeObject=Metadata&c"),
     ("includeObject=Object", "includeObject=Object"), ("includeObject=Object&includeObject=None", "includeObject=Object&includeObject=Metadata"),
     ("includeobject=None", "includeobject=None"), ("includeObject=none", "includeObject=none"), ("includeObject", "includeObject")],
)  # fmt: skip
def test_rows_come_with_an_object(query: str, sent: str) -> None:
    """Without one nobody could tell what a row is about."""
    assert SEALER.outgoing(_of(path=f"{PATH}?{query}")) == f"{PATH}?{sent}"


def test_the_key_is_the_installations(tmp_path: Path) -> None:
    """Tokens outlive a restart; another installation's do not open."""
    sealed = continuation(tmp_path).seal(CLEAR, LIST)
    assert continuation(tmp_path).open(sealed, LIST) == CLEAR
    assert (tmp_path / "keys" / "continuation.key").stat().st_mode & 0o077 == 0
    with pytest.raises(Refusal):
        continuation(tmp_path / "other").open(sealed, LIST)
