"""``gatehold schema``: what editors check documents against agrees with what is loaded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gatehold.cli.main import main
from gatehold.cli.schema import schema_of
from gatehold.config.documents import KINDS
from gatehold.config.source import read_documents

CASES = Path(__file__).parents[2] / "cases" / "config"


def documents(which: str) -> Iterator[Any]:
    for path in sorted((CASES / which).glob("*/*.yaml")):
        found, _ = read_documents(path.name, path.read_bytes())
        yield from (document.value for document in found if document.sound and document.value.get("kind") in KINDS)


def test_every_kind_has_a_valid_schema() -> None:
    for kinds in ([kind] for kind in KINDS):
        jsonschema.Draft202012Validator.check_schema(schema_of(kinds))


def test_what_is_loaded_fits_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(schema_of(list(KINDS)))
    good = list(documents("good"))
    assert {document["kind"] for document in good} == set(KINDS)
    for document in good:
        validator.validate(document)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Gateway", {"datadir": "x"}),
        ("Gateway", {"listen": [{"mode": "regulr", "port": 1}]}),
        ("Gateway", {"approvals": {"hold": 50}}),
        ("Gateway", {"limits": {"maxRequestBody": "10MB"}}),
        ("Target", {"family": "http"}),
        ("Target", {"family": "smtp", "hosts": ["a:1"]}),
        ("MaskProfile", {"extend": []}),
    ],
)
def test_the_schema_finds_mistakes(kind: str, spec: dict[str, Any]) -> None:
    document = {"apiVersion": "gatehold.dev/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema_of(list(KINDS)))


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["schema"], ["schema", "Target"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code in {0, None}
        assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_an_unknown_kind_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["schema", "Taget"])
    assert ended.value.code == 2
    assert "did you mean Target?" in capsys.readouterr().err
