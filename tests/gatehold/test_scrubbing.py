"""Law: what is written down of a request holds no credential and nothing that its target's masks hide."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config import Target
from gatehold.config.target import TargetSpec
from gatehold.scrubbing import HIDDEN, Scrubber
from masking.engine import MaskingEngine
from masking.profiles import resolve
from policy.model import TargetName, WireRequest

HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-crm-key"})
EMAIL = "ada.lovelace@example.com"
SECRET = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


def _target(name: str, family: str) -> Target:
    spec = TargetSpec.model_validate({"family": family, "hosts": [f"{name}.corp.example:443"]})
    return Target(name=TargetName(name), spec=spec)


CRM, OPEN, CLUSTER = _target("crm", "http"), _target("open", "http"), _target("main", "kubernetes")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    profiles = {"crm": ("pii", "secrets"), "open": (), "main": ("pii",)}
    return Scrubber(MaskingEngine(resolve({})), profiles, HIDDEN_HEADERS)


def test_profiles_follow_the_target(scrubber: Scrubber) -> None:
    """Those that any rule names for it, the secrets detectors always, each once; a cluster's own for a cluster."""
    assert scrubber.profiles(None) == ("secrets",)
    assert scrubber.profiles(OPEN) == ("secrets",)
    assert scrubber.profiles(CRM) == ("pii", "secrets")
    assert scrubber.profiles(CLUSTER) == ("pii", "kubernetes", "secrets")


@pytest.mark.parametrize("name", ["Authorization", "PROXY_AUTHORIZATION", "proxy-authorization", "Cookie", "X_CRM_Key"])
@pytest.mark.parametrize("target", [None, OPEN, CRM])
def test_credentials_are_left_out(scrubber: Scrubber, name: str, target: Target | None) -> None:
    """In every spelling of the header, for every target, however short the value is."""
    for value in ("abc", f"Bearer {SECRET}"):
        assert scrubber.headers([(name, value)], target) == [(name.encode(), HIDDEN.encode())]
        assert scrubber.fields([(name.encode(), value.encode())], target) == [(name.encode(), HIDDEN.encode())]


def test_header_values_are_masked(scrubber: Scrubber) -> None:
    """Names and order stay."""
    given = [("X-User", EMAIL), ("Accept", "*/*"), ("x-key", SECRET), ("ACCEPT", "*/*"), ("content-type", "a/b")]
    headers = scrubber.headers(given, CRM)
    assert scrubber.fields([(name.encode(), value.encode()) for name, value in given], CRM) == headers
    assert [name for name, _ in headers] == [b"X-User", b"Accept", b"x-key", b"ACCEPT", b"content-type"]
    assert headers[1] == (b"Accept", b"*/*")
    assert EMAIL.encode() not in headers[0][1]
    assert SECRET.encode() not in headers[2][1]


def test_undecodable_bytes_pass_through(scrubber: Scrubber) -> None:
    """Bytes of the wire that are no text do not stop the record."""
    assert scrubber.headers([("X-Note", b"\xff".decode("utf-8", "surrogateescape"))], CRM) == [(b"X-Note", b"\xff")]


@pytest.mark.parametrize("text", [f"/users/{EMAIL}", "/users/ada.lovelace%40example.com", f"/users?mail={EMAIL}&x=1"])
def test_paths_are_masked_by_the_targets_profiles(scrubber: Scrubber, text: str) -> None:
    """What the target's answers hide is not in the path of its record either."""
    assert "lovelace" not in scrubber.text(text, CRM)


def test_secrets_are_hidden_in_every_path(scrubber: Scrubber) -> None:
    """Also where no target is known."""
    for target in (None, OPEN, CRM, CLUSTER):
        assert SECRET not in scrubber.text(f"/hooks?token={SECRET}", target)


def test_plain_paths_stay(scrubber: Scrubber) -> None:
    """A record without a reason to hide reads as the call was."""
    for target in (None, OPEN, CRM):
        assert scrubber.text("/customers/42?page=3", target) == "/customers/42?page=3"


def test_facts_are_masked_in_depth(scrubber: Scrubber) -> None:
    """Texts in lists and maps as well; numbers, booleans and nothing stay what they are."""
    facts: dict[str, Any] = {"path": f"/users/{EMAIL}", "n": 7, "ok": True, "none": None, "deep": {"list": [EMAIL, ("x", EMAIL)]}}  # fmt: skip
    scrubbed = scrubber.facts(facts, CRM)
    assert "lovelace" not in json.dumps(scrubbed)
    assert (scrubbed["n"], scrubbed["ok"], scrubbed["none"]) == (7, True, None)
    assert scrubbed["deep"]["list"][1][0] == "x"


def _wire(body: bytes | None, content_type: str = "application/json") -> WireRequest:
    return WireRequest(method="POST", path="/", headers=(("Content-Type", content_type),), body=body)


@pytest.mark.parametrize("value", [b"4111111111111111", {"4111111111111111"}, object()])
def test_a_fact_that_is_not_looked_into_is_none(scrubber: Scrubber, value: object) -> None:
    """It would be written down as it is."""
    with pytest.raises(TypeError, match="no fact is a"):
        scrubber.facts({"body": [value]}, None)


def test_bodies_are_masked(scrubber: Scrubber) -> None:
    """Structure stays, values go."""
    body = scrubber.body(_wire(json.dumps({"email": EMAIL, "n": 1}).encode()), CRM)
    assert EMAIL.encode() not in body
    assert json.loads(body)["n"] == 1


@pytest.mark.parametrize("wire", [None, _wire(None), _wire(b"")])
def test_no_body_is_an_empty_record(scrubber: Scrubber, wire: WireRequest | None) -> None:
    """Also where the body is not known."""
    assert scrubber.body(wire, CRM) == b""


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b'{"email": "' + EMAIL.encode(), "application/json"), (b"\x89PNG\r\n\x1a\n\x00" + EMAIL.encode(), "image/png")],
)
def test_what_cannot_be_masked_leaves_its_length(scrubber: Scrubber, body: bytes, content_type: str) -> None:
    """The record says that something was there, never what."""
    written = scrubber.body(_wire(body, content_type), CRM)
    assert written.startswith(f"[{len(body)} bytes left out: ".encode())
    assert EMAIL.encode() not in written


SHARED = Scrubber(MaskingEngine(resolve({})), {"crm": ("pii",)}, HIDDEN_HEADERS)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=12), st.text(alphabet="abc/?&= ", max_size=12))
def test_an_address_is_hidden_wherever_it_stands(before: str, after: str) -> None:
    """The short way past the detectors never lets one through."""
    assert EMAIL not in SHARED.text(f"/{before} {EMAIL} {after}", CRM)
