"""Compact JWS taken apart: one token, one spelling, and never anything but a refusal for what is not one."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.jose import MAX_DEPTH, MAX_TOKEN, parse, seal, strict_json
from policy.errors import Refusal

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){0,4}", fullmatch=True))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """No input raises anything but a refusal."""
    assert _outcome(text) in {"parsed", "malformed", "algorithm", "too-large"}


def _outcome(text: str) -> str:
    try:
        parse(text)
    except Refusal as refusal:
        return refusal.reason
    return "parsed"


@given(payload=st.dictionaries(st.text(), JSON, max_size=5), signature=st.binary(min_size=1, max_size=80))
def test_what_goes_in_comes_out(payload: dict[str, Any], signature: bytes) -> None:
    """Payload, signature and the signed bytes are those of the token, to the byte."""
    token = f"{segment({'alg': 'EdDSA', 'kid': 'k'})}.{segment(payload)}"
    sealed = f"{token}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    parts = parse(sealed)
    assert (parts.payload, parts.signature, parts.signed) == (payload, signature, token.encode())
    assert (parts.algorithm, parts.key_id) == ("EdDSA", "k")


@given(
    payload=st.dictionaries(st.text(), JSON, min_size=1, max_size=3), at=st.integers(0), bit=st.sampled_from("AQgw-_9")
)
def test_no_second_spelling(payload: dict[str, Any], at: int, bit: str) -> None:
    """A token with one character changed is refused or is another token; it never reads the same."""
    token = f"{segment({'alg': 'EdDSA'})}.{segment(payload)}.{segment('signature')}"
    at %= len(token)
    changed = token[:at] + bit + token[at + 1 :]
    if changed == token:
        return
    try:
        parts, original = parse(changed), parse(token)
    except Refusal:
        return
    assert (parts.signed, parts.signature) != (original.signed, original.signature)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_sealed_can_be_parsed(payload: dict[str, Any]) -> None:
    """The signature is made over exactly the bytes that it will be checked against."""
    seen: list[bytes] = []
    parts = parse(seal({"alg": "EdDSA"}, payload, lambda signed: (seen.append(signed), b"signature")[1]))
    assert (parts.payload, parts.signature, [parts.signed]) == (payload, b"signature", seen)


def test_size_is_judged_before_anything_is_decoded() -> None:
    """One character above the cap is too large, whatever it is."""
    with pytest.raises(Refusal, match="too-large"):
        parse("!" * (MAX_TOKEN + 1))
    with pytest.raises(Refusal, match="malformed"):
        parse("!" * MAX_TOKEN)


@given(JSON)
def test_strict_json_reads_what_the_standard_library_reads(value: Any) -> None:
    """On JSON without duplicates the two agree, up to the depth that is allowed."""
    text = json.dumps(value)
    try:
        assert strict_json(text) == json.loads(text)
    except ValueError:
        assert text.count("[") + text.count("{") > MAX_DEPTH


@given(st.dictionaries(st.text(), st.integers(), min_size=1))
def test_strict_json_refuses_any_key_given_twice(members: dict[str, int]) -> None:
    """Whatever stands between the two."""
    first = next(iter(members))
    text = json.dumps(members)[:-1] + f",{json.dumps(first)}:0}}"
    with pytest.raises(ValueError, match="duplicate key"):
        strict_json(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "1" * 5000])
def test_strict_json_survives_bombs(text: str) -> None:
    """Depth and digits beyond reason are refused, not followed."""
    with pytest.raises((ValueError, RecursionError)):
        strict_json(text)


def test_parts_show_no_content() -> None:
    """Repr tells the algorithm and the key's name only."""
    shown = repr(parse(f"{segment({'alg': 'EdDSA'})}.{segment({'sub': 'planted'})}.c2lnbmF0dXJl"))
    assert "planted" not in shown
    assert "signature" not in shown
