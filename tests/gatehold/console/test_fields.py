"""Law: a field is sent once, or not at all."""

from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.console.fields import field
from gatehold.console.problems import Refused


def test_a_field() -> None:
    """Its value, or what stands for none; two are no form, nor is a NUL."""
    request: Any = SimpleNamespace(state=SimpleNamespace(form={"a": ("1",), "b": ("1", "1"), "d": ("1\x00",)}))
    assert (field(request, "a"), field(request, "c"), field(request, "c", "x")) == ("1", "", "x")
    for name in "bd":
        with pytest.raises(Refused):
            field(request, name)
