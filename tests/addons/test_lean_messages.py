"""mitmproxy's check of its own types is skipped, and nothing else was in it."""

import ast
import inspect
import textwrap

import pytest
from mitmproxy import http

from addons import lean_messages


def test_what_is_skipped_is_an_assertion() -> None:
    """mitmproxy defines it under ``__debug__`` only, so it works without; and it does nothing but check types."""
    [block] = [
        node
        for node in ast.parse(textwrap.dedent(inspect.getsource(http.MessageData))).body[0].body  # type: ignore[attr-defined]
        if isinstance(node, ast.If)
    ]
    assert ast.unparse(block.test) == "__debug__"
    [check] = block.body
    called = {ast.unparse(node.func) for node in ast.walk(check) if isinstance(node, ast.Call)}
    assert called == {"fields", "getattr", "typecheck.check_option_type"}


def test_messages_are_made_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is the same with and without the check."""
    monkeypatch.setattr(http.MessageData, "__post_init__", http.MessageData.__post_init__)
    before = http.Response.make(200, b"x", {"a": "b"}).get_state()
    lean_messages.install()
    after = http.Response.make(200, b"x", {"a": "b"}).get_state()
    assert {key: value for key, value in before.items() if "timestamp" not in key} == {
        key: value for key, value in after.items() if "timestamp" not in key
    }
