"""System parts that some tests need: a user who lacks one sees the tests skipped, the gate sees them fail."""

import os
from typing import NoReturn

import pytest


def lacking(part: str, message: str) -> NoReturn:
    """Skip the test, or fail it where ``GATEHOLD_REQUIRE`` (comma-separated) names the part."""
    if part in os.environ.get("GATEHOLD_REQUIRE", "").split(","):
        pytest.fail(message)
    pytest.skip(message)
