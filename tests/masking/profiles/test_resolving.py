"""Profiles inherit, and what is inherited is spelled out."""

from typing import Any

import pytest

from masking.profiles import MaskProfileSpec, Profile, builtin, resolve

RESTORE = {"target": "crm", "methods": ["POST"], "path": "/messages", "body": ["$.to"]}


def resolved(**documents: dict[str, Any]) -> dict[str, Profile]:
    return dict(resolve({name: MaskProfileSpec.model_validate(spec) for name, spec in documents.items()}))


def test_the_built_in_profiles() -> None:
    """What each of them hides is part of the command line's documentation."""
    profiles = resolved()
    assert set(profiles) == set(builtin()) == {"health", "kubernetes", "pci", "pii", "secrets"}
    assert set(profiles["pii"].entities) == {
        "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER", "US_ITIN", "US_SSN",
    }  # fmt: skip
    assert set(profiles["pci"].entities) == {"CREDIT_CARD"}
    assert profiles["kubernetes"].entities.keys() == profiles["secrets"].entities.keys()
    assert profiles["kubernetes"].keys == profiles["secrets"].keys
    assert [kind.kind for kind in profiles["kubernetes"].kinds] == ["Secret"]
    assert all(rule.guarded for rule in profiles["kubernetes"].entities.values())
    assert not any(rule.guarded for name in ("pii", "pci") for rule in profiles[name].entities.values())
    assert all(rule.embedded for name in ("pii", "pci") for rule in profiles[name].entities.values())


def test_an_own_entry_replaces_the_inherited_one() -> None:
    """Operators may change; what is not named stays as it was."""
    own = resolved(own={"extends": ["pii", "pci"], "entities": {"CREDIT_CARD": {"operator": "mask", "keepLast": 4}}})[
        "own"
    ]
    assert own.entities["CREDIT_CARD"].treatment.operator == "mask"
    assert own.entities["EMAIL_ADDRESS"].treatment.operator == "replace"
    assert own.entities["CREDIT_CARD"].embedded


def test_an_entity_can_be_taken_away() -> None:
    """Explicitly, not by leaving it out."""
    assert (
        "CRYPTO" not in resolved(own={"extends": ["pii"], "entities": {"CRYPTO": {"enabled": False}}})["own"].entities
    )


def test_an_own_entity_is_inherited_with_its_patterns() -> None:
    """A profile that extends another treats its entities otherwise without saying again what they look like."""
    profiles = resolved(
        own={"entities": {"EMPLOYEE_ID": {"regex": "E-[0-9]+"}}},
        other={"extends": ["own"], "entities": {"EMPLOYEE_ID": {"operator": "pseudonym", "reversible": True}}},
    )
    rule = profiles["other"].entities["EMPLOYEE_ID"]
    assert rule.custom is not None
    assert rule.custom.regex == "E-[0-9]+"
    assert rule.treatment.reversible


def test_what_is_reversible_and_where_it_is_put_back() -> None:
    """By entity, key and path; places are inherited."""
    hidden = {"operator": "pseudonym", "reversible": True}
    profiles = resolved(
        base={"extends": ["pii"], "entities": {"EMAIL_ADDRESS": hidden}, "restore": [RESTORE]},
        more={"extends": ["base"], "paths": [{"path": "$.name", "entity": "PERSON"} | hidden]},
    )
    assert profiles["base"].reversible == {"EMAIL_ADDRESS"}
    assert profiles["more"].reversible == {"EMAIL_ADDRESS", "PERSON"}
    assert profiles["more"].restore == profiles["base"].restore != ()
    assert not profiles["pii"].reversible


def test_thresholds_come_from_the_most_careful_parent() -> None:
    """Unless the profile states its own."""
    profiles = resolved(
        low={"threshold": 0.3, "entities": {"US_SSN": {}}},
        both={"extends": ["low", "pii"]},
        own={"extends": ["low"], "threshold": 0.9},
    )
    assert profiles["both"].threshold == 0.3
    assert all(rule.threshold == 0.3 for rule in profiles["both"].entities.values())
    assert profiles["own"].entities["US_SSN"].threshold == 0.9


def test_a_stated_guard_holds_for_every_entity() -> None:
    """Also for inherited ones; otherwise each keeps its own."""
    profiles = resolved(
        guarded={"extends": ["pii"], "guard": "boundary"},
        mixed={"extends": ["kubernetes", "pii"]},
        off={"extends": ["kubernetes"], "guard": "none"},
    )
    assert profiles["guarded"].entities["EMAIL_ADDRESS"].guarded
    assert not profiles["mixed"].entities["EMAIL_ADDRESS"].guarded
    assert profiles["mixed"].entities["JWT"].guarded
    assert not profiles["off"].entities["JWT"].guarded


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({"pii": {}}, "mask profile pii: the name is taken"),
        ({"a": {"extends": ["nosuch"]}}, "mask profile a: extends an unknown profile, nosuch"),
        ({"a": {"extends": ["b"]}, "b": {"extends": ["a"]}}, "mask profile a: extends itself by way of a -> b -> a"),
        ({"a": {"extends": ["a"]}}, "mask profile a: extends itself"),
        ({"a": {"extends": ["pi"]}}, "mask profile a: extends an unknown profile, pi; did you mean pii?"),
        ({"a": {"extends": ["pii"], "entities": {"X": {}}}}, "mask profile a: `entities.X` is not built in"),
        ({"a": {"extends": ["health"], "entities": {"ICD10_COD": {}}}}, "did you mean ICD10_CODE"),
        ({"a": {"extends": ["pii"], "restore": [RESTORE]}}, "mask profile a: there is nothing to put back"),
    ],
)
def test_what_cannot_be_resolved_is_said(documents: dict[str, Any], message: str) -> None:
    """The message begins with the profile's name."""
    with pytest.raises(ValueError, match=message):
        resolved(**documents)
