"""Law: a body is read once for all conditions on it, and is not kept once another one came."""

from typing import Any

import pytest

from gatehold import body_reader
from gatehold.body_reader import Reader

BODY = b'{"kind": "x"}'


def facts(source: str, kind: str = "application/json", result: str = "bool") -> dict[str, Any]:
    """A question without other variables."""
    asked = {"source": source, "result": result, "values": {}, "times": {}}
    return {"condition": asked, "type": kind, "encoded": False}


def test_it_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is another one, of another type, or forgotten."""
    read: list[bytes] = []
    stock = body_reader.read_body

    def noted(body: bytes, headers: Any) -> Any:
        read.append(body)
        return stock(body, headers)

    monkeypatch.setattr(body_reader, "read_body", noted)
    reader = Reader()
    assert reader.answer(facts("body.kind == 'x'"), BODY) == {"outcome": "match", "detail": ""}
    assert reader.answer(facts("body.kind == 'y'"), BODY) == {"outcome": "no-match", "detail": ""}
    assert reader.answer(facts("body.kind", result="string"), BODY) == {"text": "x"}
    assert len(read) == 1
    assert reader.answer(facts("body.kind == 'x'", "text/plain"), BODY)["outcome"] == "error"
    assert reader.answer(facts("body.kind == 'z'"), b'{"kind": "z"}')["outcome"] == "match"
    assert len(read) == 3
    reader.forget()
    reader.answer(facts("body.kind == 'z'"), b'{"kind": "z"}')
    assert len(read) == 4
