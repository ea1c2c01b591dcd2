"""Profiles inherit, and what is inherited is spelled out."""

from typing import Any

import pytest

from masking.profiles import MaskProfileSpec, Profile, builtin, resolve


def resolved(**documents: dict[str, Any]) -> dict[str, Profile]:
    return dict(resolve({name: MaskProfileSpec.model_validate(spec) for name, spec in documents.items()}))


def test_the_built_in_profiles() -> None:
    """What each of them hides is part of the command line's documentation."""
    profiles = resolved()
    assert set(profiles) == set(builtin()) == {"kubernetes", "pci", "pii", "secrets"}
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
    ],
)
def test_what_cannot_be_resolved_is_said(documents: dict[str, Any], message: str) -> None:
    """The message begins with the profile's name."""
    with pytest.raises(ValueError, match=message):
        resolved(**documents)
