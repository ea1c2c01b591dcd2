"""The ``ner`` part of a profile: what it needs, what is refused, where its paths lead."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from masking.profiles import MaskProfileSpec, resolve
from masking.profiles.ner_spec import NerSpec


def test_a_model_lies_beside_the_file_that_names_it() -> None:
    """Relative paths start from the directory of the configuration."""
    spec = NerSpec.model_validate({"model": "models/../en", "keys": ["a"]}, context={"base": "/etc/gatehold"})
    assert (spec.place, spec.entities) == (Path("/etc/gatehold/en"), ("PERSON", "LOCATION", "ORGANIZATION"))


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"keys": ["a"]}, "engine spacy needs `model`"),
        ({"engine": "presidio", "keys": ["a"]}, "engine presidio needs `configuration`"),
        ({"engine": "presidio", "configuration": "c", "model": "m", "keys": ["a"]}, "of no use"),
        ({"model": "m"}, "by `keys` or `paths`"),
        ({"model": "m", "keys": ["("]}, "not a regular expression"),
        ({"model": "m", "paths": ["items"]}, "not a path"),
        ({"model": "m", "keys": ["a"], "entities": []}, "at least 1"),
        ({"model": "m", "keys": ["a"], "entities": ["person"]}, "pattern"),
        ({"model": "m", "keys": ["a"], "download": True}, "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused(stated: dict[str, Any], said: str) -> None:
    """With the words that a person needs."""
    with pytest.raises(ValidationError, match=said):
        NerSpec.model_validate(stated)


def test_models_are_inherited() -> None:
    """A profile that extends another asks its model as well as its own."""
    documents = {
        "one": MaskProfileSpec.model_validate({"ner": {"model": "/a", "keys": ["x"]}}),
        "two": MaskProfileSpec.model_validate({"extends": ["one"], "ner": {"model": "/b", "keys": ["y"]}}),
    }
    assert [spec.place.name for spec in resolve(documents)["two"].ner] == ["b", "a"]
    assert resolve(documents)["pii"].ner == ()
