"""How answers are written."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.answers import COMPRESSED_FROM, Answer, encode, write


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_what_is_written_can_be_read(document: dict[str, Any]) -> None:
    """One line of JSON, with nothing in it that a browser could take for markup."""
    line = encode(document)
    assert json.loads(line) == document
    assert line.endswith(b"\n")
    assert not set(line) & set(b"<>&")


def test_only_big_answers_are_compressed() -> None:
    """And only if the client can read them."""
    big = Answer(body={"a": "x" * COMPRESSED_FROM})
    assert "Content-Encoding" in write(big, compressible=True).headers
    assert "Content-Encoding" not in write(big, compressible=False).headers
    assert "Content-Encoding" not in write(Answer(body={}), compressible=True).headers
