"""Law: every document that is shown can be loaded, and the tests that it brings along pass."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gatehold.config import load
from policy.testing import run
from tests.docs.pages import Block, blocks

SHOWN = [block for block in blocks("yaml") if block.text.startswith("apiVersion")]
_ENVELOPE = "apiVersion: gatehold.dev/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
_TARGETS = {
    "crm": '{family: http, hosts: ["crm.stub.example:443"]}',
    "github": '{family: http, hosts: ["github.stub.example:443"]}',
    "main": '{family: kubernetes, hosts: ["main.stub.example:443"]}',
}


def directory_of(block: Block, path: Path) -> Path:
    """A configuration around a block: with a Gateway and the usual targets where it shows none of them."""
    present = {(document["kind"], document["metadata"]["name"]) for document in yaml.safe_load_all(block.text)}
    (path / "shown.yaml").write_text(block.text)
    stubs = [
        _ENVELOPE.format("Target", name, spec) for name, spec in _TARGETS.items() if ("Target", name) not in present
    ]
    if "Gateway" not in {kind for kind, _ in present}:
        stubs.append(_ENVELOPE.format("Gateway", "stub", "{}"))
    (path / "stubs.yaml").write_text("---\n".join(stubs))
    return path


def test_there_are_some() -> None:
    """The documentation shows what documents look like."""
    assert len(SHOWN) > 3


@pytest.mark.parametrize("block", SHOWN, ids=[block.id for block in SHOWN])
def test_shown_documents_load(block: Block, tmp_path: Path) -> None:
    """Loaded as a configuration, with every reference; then its own tests are run."""
    configuration = load(directory_of(block, tmp_path))
    report = run(configuration.engine, configuration.tests, now=datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert [(result.name, result.want, result.got) for result in report.results if not result.passed] == []
