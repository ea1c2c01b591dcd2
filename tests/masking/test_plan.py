"""Several profiles as one: nothing that one of them hides is seen, whatever the others say."""

from collections.abc import Callable

import pytest

from masking import plan as plan_module
from masking.errors import Unmaskable
from masking.operators import Operators
from masking.plan import KeyRules, Plan
from masking.profiles import MaskProfileSpec, resolve
from masking.profiles.spec import KeySpec


def joined(**specs: dict[str, object]) -> Plan:
    profiles = resolve({name: MaskProfileSpec.model_validate(spec) for name, spec in specs.items()})
    return Plan([profiles[name] for name in specs], Operators(b"k"))


def test_the_strictest_operator_and_the_lowest_threshold_count() -> None:
    """Per entity, whichever profile states them."""
    plan = joined(
        weak={"threshold": 0.9, "entities": {"EMAIL_ADDRESS": {"operator": "mask", "keepLast": 4}, "US_SSN": {}}},
        strict={
            "threshold": 0.4,
            "entities": {"EMAIL_ADDRESS": {"operator": "redact"}, "PHONE_NUMBER": {}, "US_SSN": {}},
        },
    )
    (edit,) = plan.judge.edits("bob@example.com")
    assert edit.replacement == ""
    assert "US_SSN" in [hit.entity for hit in plan.judge.hits("078-05-1123")]
    assert [hit.entity for hit in plan.judge.hits("212-555-5555")] == ["PHONE_NUMBER"]


def test_a_guard_that_not_all_have_guards_nothing() -> None:
    """A profile cannot make another one see less."""
    guarded = {"guard": "boundary", "entities": {"CREDIT_CARD": {}}}
    text = "a-4111111111111111"
    assert not joined(one=guarded).judge.hits(text)
    assert joined(one=guarded, two={"entities": {"CREDIT_CARD": {}}}).judge.hits(text)


def test_own_entities_of_one_name_are_both_looked_for() -> None:
    """Two profiles may define the same name differently."""
    plan = joined(one={"entities": {"ID": {"denyList": ["alpha"]}}}, two={"entities": {"ID": {"denyList": ["beta"]}}})
    assert len(plan.judge.hits("alpha beta")) == 2


def test_the_strictest_key_rule_counts() -> None:
    """Where several match a name."""
    rules = KeyRules(
        [KeySpec(match="a", operator="pseudonym"), KeySpec(match="b", operator="redact"), KeySpec(match="ab")]
    )
    found = rules.find("ab")
    assert found is not None
    assert found.operator == "redact"
    assert rules.find("c") is None


def test_names_are_matched_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name made to keep a rule busy is refused."""
    rules = KeyRules([KeySpec.model_construct(match="(a|aa)+$")])
    with pytest.raises(Unmaskable, match="too long"):
        rules.find("a" * 5000)
    monkeypatch.setattr(plan_module, "_KEY_SECONDS", 1e-9)
    with pytest.raises(Unmaskable, match="out of time"):
        rules.find("a" * 4000 + "b")


def test_whether_places_matter(make_plan: Callable[..., Plan]) -> None:
    """Kinds and paths need JSON; keys and looks do not."""
    assert make_plan("kubernetes").placed
    assert make_plan(spec={"paths": [{"path": "$.a"}]}).placed
    assert not make_plan("pii", "secrets").placed
