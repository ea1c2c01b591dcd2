"""Each built-in profile does what the cases beside it say, once and for all."""

from importlib.resources import files
from typing import Any

import pytest
import yaml

from masking.engine import MaskingEngine
from masking.profiles import builtin

CASES = files("masking.profiles").joinpath("cases")


def cases() -> list[Any]:
    """Every case with the name of its profile."""
    return [
        pytest.param(profile, case, id=f"{profile}: {case['name']}")
        for profile in sorted(builtin())
        for case in yaml.safe_load(CASES.joinpath(f"{profile}.yaml").read_text("utf-8"))
    ]


@pytest.mark.parametrize(("profile", "case"), cases())
def test_a_profile_masks_as_its_cases_say(engine: MaskingEngine, profile: str, case: dict[str, str]) -> None:
    """And masking again changes nothing."""
    asked: dict[str, Any] = {"content_type": case["contentType"], "profiles": (profile,)}
    masked = engine.mask_body(case["body"].encode(), **asked)
    assert masked.body.decode() == case.get("want", case["body"])
    assert bool(masked.counts) == ("want" in case)
    assert engine.mask_body(masked.body, **asked).body == masked.body
