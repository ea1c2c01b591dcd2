"""The corpus runs against the same installation as the end-to-end tests."""

from tests.e2e.conftest import gateway, installed

__all__ = ["gateway", "installed"]
