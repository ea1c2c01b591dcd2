"""Problems point at their line and say what was meant."""

from pathlib import Path

import pytest

from gatehold.config.documents import GatewayDocument
from gatehold.config.judging import Judgement, judge, keys_at, meant
from gatehold.config.source import read_documents

HEAD = "apiVersion: gatehold.dev/v1\nkind: {kind}\nmetadata: {{name: x}}\n"


def judged(text: str) -> Judgement:
    (document,), _ = read_documents("f.yaml", text.encode())
    return judge(document, Path("/base"))


def test_what_is_right_survives_what_is_wrong() -> None:
    """So that references can be checked in one go with everything else; lines stay those of the file."""
    listeners = "    - {mode: nonsense, port: 1}\n    - {mode: regular, port: 2, extra: 3}\n"
    found = judged(HEAD.format(kind="Gateway") + f"spec:\n  listen:\n{listeners}  unknown: 1\n")
    assert [problem.line for problem in found.problems] == [6, 7, 8]
    assert isinstance(found.value, GatewayDocument)
    assert [listener.port for listener in found.value.spec.listen] == [2]
    assert found.document.line(("spec", "listen", 0)) == 7


def test_nothing_is_left_of_a_document_that_is_wrong_as_a_whole() -> None:
    found = judged(HEAD.format(kind="Target") + "spec: text\n")
    assert found.value is None
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        ((), {"apiVersion", "kind", "metadata", "spec"}),
        (("spec", "listen", 0), {"mode", "host", "port", "target", "names", "tls"}),
        (("spec", "identity", "issuers", 3, "groups"), {"allow"}),
        (("spec", "packs", 0), {"use", "as", "agents", "targets", "namespaces", "parameters"}),
    ],
)
def test_the_keys_that_may_stand_somewhere(place: tuple[str | int, ...], keys: set[str]) -> None:
    assert keys_at(GatewayDocument, place) == keys


def test_suggestions() -> None:
    assert meant("Gatway", ["Gateway", "Target"]) == "; did you mean Gateway?"
    assert meant("Zebra", ["b", "a"]) == "; one of a, b"
    assert meant("Zebra", [f"word{n}" for n in range(9)]) == ""
    assert meant(5, []) == ""
