"""Law: masking twice changes nothing, whatever is hidden, however it is hidden, wherever it stands."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.engine import MaskingEngine
from masking.operators import OPERATORS, Operators, Treatment
from masking.profiles import MaskProfileSpec, builtin, resolve

VALUES = {
    "CREDIT_CARD": "4111 1111 1111 1111", "CRYPTO": "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "EMAIL_ADDRESS": "jane.doe@example.com", "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "PHONE_NUMBER": "+1 (202) 555-0173", "US_ITIN": "911-70-1234", "US_SSN": "078-05-1124",
    "MEDICAL_LICENSE": "AB1234563", "UK_NHS": "943 476 5919", "US_MBI": "1EG4-TE5-MK73", "US_NPI": "1234567893",
    "MEDICAL_RECORD_NUMBER": "MRN: 00123456", "ICD10_CODE": "E11.65", "DATE_OF_BIRTH": "1980-02-03",
    "GITHUB_TOKEN": "ghp_" + "a1B2" * 9, "AWS_KEY": "AKIAZ5GQ7W3K2J6Q4XYB",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "PERSON": "Jane Doe 1985", "VALUE": "hunter2-99",
}  # fmt: skip
"""An example of each of many entities; the last two are hidden for the name of their member."""
KEYS = [{"match": "^person$", "entity": "PERSON"}, {"match": "^hidden$", "entity": "VALUE"}]
CONTEXT = "phone ssn itin npi born diagnosis certificate nhs"
PROFILES = tuple(sorted(builtin()))


@cache
def engine_of(operator: str, numbers: str = "digits") -> MaskingEngine:
    """An engine with every entity under one operator."""
    reversible = operator == "reversible"
    hidden: dict[str, Any] = {"operator": "pseudonym" if reversible else operator, "numbers": numbers}
    hidden |= {"reversible": True} if reversible else {"keepLast": 4}
    names = {name for profile in builtin().values() for name in profile.entities}
    spec = {
        "extends": list(PROFILES),
        "entities": dict.fromkeys(names, hidden),
        "keys": [key | hidden for key in KEYS],
    }
    return MaskingEngine(resolve({"own": MaskProfileSpec.model_validate(spec)}), key=b"k" * 32)


def contained(value: str, container: str) -> bytes:
    """The value in a body of each kind, with words around it that make weak forms count."""
    match container:
        case "json":
            inner = {"person": value, "hidden": value, "n": 4111111111111111, "deep": [{"x": f"see {value}, ok"}]}
            return json.dumps({"note": f"{CONTEXT} {value}", "plain": value, **inner}).encode()
        case "form":
            return urlencode({"note": f"{CONTEXT} {value}", "person": value, "hidden": value}).encode()
        case _:
            return f"{CONTEXT}: {value}\nand {value}, {CONTEXT}\n".encode()


TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "text": "text/plain"}


@pytest.mark.parametrize("container", TYPES)
@pytest.mark.parametrize("operator", [*OPERATORS, "reversible"])
def test_masking_twice_changes_nothing(operator: str, container: str) -> None:
    """Every operator, every entity, every container; and the value is gone."""
    engine, content_type = engine_of(operator), TYPES[container]
    for entity, value in VALUES.items():
        body = contained(value, container)
        once = engine.mask_body(body, content_type=content_type, profiles=("own",)).body
        assert engine.mask_body(once, content_type=content_type, profiles=("own",)).body == once, entity
        if container == "text" and entity not in {"PERSON", "VALUE"}:
            assert value.encode() not in once, entity


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(VALUES.values())) | st.text(" .,:-/@abc019", max_size=12), max_size=6),
    st.sampled_from([*OPERATORS, "reversible"]),
    st.sampled_from(sorted(TYPES)),
)
def test_masking_mixtures_twice_changes_nothing(parts: list[str], operator: str, container: str) -> None:
    """Values next to each other and next to anything."""
    engine, content_type = engine_of(operator), TYPES[container]
    once = engine.mask_body(contained(" ".join(parts), container), content_type=content_type, profiles=("own",)).body
    assert engine.mask_body(once, content_type=content_type, profiles=("own",)).body == once


@pytest.mark.parametrize("operator", OPERATORS)
def test_numbers_become_null_where_a_profile_says_so(operator: str) -> None:
    """And stay null."""
    engine, body = engine_of(operator, "null"), b'{"card": 4111111111111111, "hidden": 12345, "n": 7}'
    once = engine.mask_body(body, content_type=TYPES["json"], profiles=("own",)).body
    assert json.loads(once) == {"card": None, "hidden": None, "n": 7}
    assert engine.mask_body(once, content_type=TYPES["json"], profiles=("own",)).body == once


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=8), st.sampled_from(["pseudonym", "hash", "reversible", "replace"]))
def test_no_built_in_profile_sees_anything_in_a_token(engine: MaskingEngine, value: str, form: str) -> None:
    """Not even one that does not know its entity, in a text that speaks of everything."""
    operator = "pseudonym" if form == "reversible" else form
    treatment = Treatment(operator=operator, reversible=form == "reversible")  # type: ignore[arg-type]
    token = Operators(b"k" * 32).replacement(treatment, "FOREIGN_ENTITY", value)
    text = f"{CONTEXT}: {token} and {token}"
    assert engine.mask_text(text, profiles=PROFILES)[0] == text


CUT_UP = [
    ("<US_SSN>token: abc123def456password=hunter2x9(DE89370400440532013000", ["abc123def456", "hunter2x9"]),
    ('4111 1111 1111 1111password=hunter2x9("1234567893', ["4111", "hunter2x9"]),
    ("see 078-05-1123token=abc123def456, ok", ["078-05", "abc123def456"]),
]
"""Texts in which one value gives another one its name or its borders, once it is hidden."""


@pytest.mark.parametrize("shape", ["json", "nested", "text"])
@pytest.mark.parametrize(("text", "values"), CUT_UP)
def test_what_hiding_a_value_brings_to_light_is_hidden_at_once(
    engine: MaskingEngine, text: str, values: list[str], shape: str
) -> None:
    """And not when it is masked once more."""
    inner = json.dumps([{"data": text}])
    body = {"json": inner, "nested": json.dumps({"data": inner}), "text": text}[shape]
    content_type, profiles = TYPES["text" if shape == "text" else "json"], ("pii", "pci", "kubernetes")
    once = engine.mask_body(body.encode(), content_type=content_type, profiles=profiles).body
    assert not any(value.encode() in once for value in values)
    assert engine.mask_body(once, content_type=content_type, profiles=profiles).body == once


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("https://user:pa55w0rd@host/&#64;<US_SSN>", "https://user:&lt;BASIC_AUTH_URL&gt;@host/&#64;<US_SSN>"),
        (
            "&lt;b&gt;https://user:pa55w0rd@host/&lt;/b&gt;",
            "&lt;b&gt;https://user:&amp;lt;BASIC_AUTH_URL&amp;gt;@host/&lt;/b&gt;",
        ),
        ("<b>https://user:pa55w0rd@host/</b>", "<b>https://user:&lt;BASIC_AUTH_URL&gt;@host/</b>"),
    ],
)
def test_a_token_stays_one_however_markup_writes_it(engine: MaskingEngine, text: str, want: str) -> None:
    """A token makes no markup of the text that it stands in, and is no password where it stands in an address."""
    profiles = ("pii", "pci", "kubernetes")
    once = engine.mask_body(text.encode(), content_type="text/html", profiles=profiles).body
    assert once.decode() == want
    assert engine.mask_body(once, content_type="text/html", profiles=profiles).body == once
