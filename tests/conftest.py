"""What all tests share."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.postgres import server

# The machine is shared: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("search", deadline=None)
# The gate tries the same examples for the same code, so that what it says of a change is about the change.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "search"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL that belongs to this run; a test that wants it empties it first."""
    with server() as url:
        yield url
