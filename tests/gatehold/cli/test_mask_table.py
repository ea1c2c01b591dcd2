"""The table of what was found: places that people can go to, and no value."""

from hypothesis import given
from hypothesis import strategies as st

from gatehold.cli.mask_table import operators_of, rows, summary
from masking.engine import Finding
from masking.profiles import MaskProfileSpec, resolve


def found(text: str, value: str, entity: str = "EMAIL_ADDRESS") -> Finding:
    """A hit on the first place of a value."""
    return Finding(entity=entity, start=text.index(value), end=text.index(value) + len(value), score=1.0)


def places(text: str, *findings: Finding, is_json: bool) -> list[str]:
    """Where they are said to be."""
    return [row[1] for row in rows(text, findings, (), is_json=is_json, show=False)[1]]


def test_lines_and_columns() -> None:
    """Both from 1, in characters."""
    text = "é x\n\nyy z"
    assert places(text, found(text, "x"), found(text, "z"), is_json=False) == ["1:3", "3:4"]


def test_json_paths() -> None:
    """As a profile's paths are written; line and column where it is no JSON."""
    text = '\ufeff{"a": {"b c": ["no", "me"]}, "x_y-z": [1, {"k": 41}]}'
    assert places(text, found(text, "me"), found(text, "41"), is_json=True) == ["$.a['b c'][1]", "$.x_y-z[1].k"]
    assert places('"me"', found('"me"', "me"), is_json=True) == ["$"]
    assert places("{ me", found("{ me", "me"), is_json=True) == ["1:3"]


@given(st.text(), st.integers(0, 50), st.booleans())
def test_every_place_can_be_told(text: str, offset: int, is_json: bool) -> None:
    """Whatever the text is."""
    at = min(offset, len(text))
    assert places(text, Finding(entity="X", start=at, end=at, score=0.5), is_json=is_json)


def test_values_only_where_asked_for() -> None:
    """Everything else is there without."""
    profiles = [resolve({})["pii"]]
    hit = found("ada@example.com", "ada@example.com")
    assert rows("ada@example.com", [hit], profiles, is_json=False, show=False) == (
        ("entity", "place", "score", "operator"),
        [("EMAIL_ADDRESS", "1:1", "1.00", "replace")],
    )
    assert rows("ada@example.com", [hit], profiles, is_json=False, show=True)[1][0][4] == "ada@example.com"


def test_operators_of_every_part() -> None:
    """Entities, keys, paths and models."""
    spec = MaskProfileSpec.model_validate(
        {
            "entities": {"CRYPTO": {"operator": "hash"}},
            "keys": [{"match": "a", "entity": "CRYPTO", "operator": "redact"}],
            "paths": [{"path": "$.a"}],
            "ner": {"model": "m", "keys": ["n"], "entities": ["PERSON"], "operator": "pseudonym"},
        }
    )
    assert operators_of([resolve({"own": spec})["own"]]) == {
        "CRYPTO": ["hash", "redact"],
        "PERSON": ["pseudonym"],
        "VALUE": ["replace"],
    }


def test_the_summary() -> None:
    """The most frequent first; a word where there is nothing."""
    hits = [found("ab", "a", "X"), found("ab", "a", "Y"), found("ab", "b", "Y")]
    assert summary(hits, ("pii", "pci")) == "Y 2, X 1 (pii, pci)"
    assert summary([], ("pii",)) == "nothing to hide (pii)"
