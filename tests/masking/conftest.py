"""One loaded engine for all tests: the detectors take seconds to import."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from masking.engine import MaskingEngine
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import MaskProfileSpec, resolve

KEY = b"k" * 32


@pytest.fixture(scope="session")
def engine() -> MaskingEngine:
    """An engine with the built-in profiles."""
    loaded = MaskingEngine(resolve({}), key=KEY)
    loaded.load()
    return loaded


@pytest.fixture(scope="session")
def make_engine() -> Callable[[Mapping[str, Any]], MaskingEngine]:
    """Makes an engine with one more profile, ``own``, from a document's spec."""

    def make(spec: Mapping[str, Any]) -> MaskingEngine:
        return MaskingEngine(resolve({"own": MaskProfileSpec.model_validate(spec)}), key=KEY)

    return make


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    """Makes a plan of built-in profiles, or of one spec."""

    def make(*names: str, spec: Mapping[str, Any] | None = None) -> Plan:
        own = {"own": MaskProfileSpec.model_validate(spec)} if spec is not None else {}
        profiles = resolve(own)
        return Plan([profiles[name] for name in (*names, *own)], Operators(KEY))

    return make
