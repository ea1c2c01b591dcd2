"""Law: the page on masking shows what masking does: its commands are run, its tables are made, its figures are the code's."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from presidio_analyzer.input_validation import ConfigurationValidator

from gatehold.config.gateway import LimitsSpec
from masking import ner
from masking.ner_models import NerModelConfiguration
from masking.profiles.ner_spec import NerSpec
from tests.docs.masking_tables import EXAMPLES, MISSED, masked, refuses
from tests.docs.pages import DOCS, Block, blocks
from tests.e2e.harness import BIN, clean_environment

PAGE = (DOCS / "masking.md").read_text()
CONSOLE = [block for block in blocks("console") if block.page == "masking.md"]
PROFILES = [block for block in blocks("yaml") if block.page == "masking.md" and "kind: MaskProfile" in block.text]
GATEWAY = "apiVersion: gatehold.dev/v1\nkind: Gateway\nmetadata: {name: default}\nspec: {}\n"


@pytest.mark.parametrize("block", CONSOLE, ids=[block.id for block in CONSOLE])
def test_commands_print_what_is_shown(block: Block, tmp_path: Path) -> None:
    """Run one after the other in a directory with the profiles of the page; ``...`` stands for anything."""
    (tmp_path / "profiles.yaml").write_text("---\n".join([GATEWAY, *(each.text for each in PROFILES)]))
    environment = clean_environment(PATH=f"{BIN}:{os.environ['PATH']}", HOME=str(tmp_path))
    for entry in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = entry.partition("\n")
        done = subprocess.run(
            ["bash", "-c", f"{{ {command}; }} 2>&1"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        pattern = ".*".join(map(re.escape, shown.split("...")))
        assert re.fullmatch(pattern, done.stdout), f"{command}\n{done.stdout}"


@pytest.mark.parametrize(("profile", "content_type", "body"), EXAMPLES)
def test_examples_stay_as_they_are_when_masked_again(profile: str, content_type: str, body: str) -> None:
    """As the second rule of the page says."""
    once = masked(profile, content_type, body)
    assert masked(profile, content_type, once) == once


@pytest.mark.parametrize(("profile", "content_type", "body"), MISSED)
def test_what_is_said_to_be_missed_is(profile: str, content_type: str, body: str) -> None:
    """Else the page promises too little."""
    assert masked(profile, content_type, body) == body


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("application/zip", b"PK\x03\x04"),
        ("application/x-protobuf", b"\x08\x01"),
        ("application/cbor", b"\xa0"),
        ("avro/binary", b"Obj\x01"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
        ("audio/mpeg", b"ID3\x03"),
        ("application/octet-stream", b"plain"),
        ("application/json", b"%PDF-1.7"),
        ("application/json; charset=utf-16", b"{}"),
        ("application/json", b'{"ada@example.com": 1}'),
    ],
)
def test_what_is_said_to_be_withheld_is(content_type: str, body: bytes) -> None:
    """Formats, charsets, names."""
    assert refuses(content_type, body)


def test_figures() -> None:
    """Those that are constants of the code."""
    assert f"{ner.WINDOW:,} characters at a time" in PAGE
    assert f"more than {ner.LONGEST:,} characters" in PAGE.replace("\n  ", " ")
    assert f"`limits.maxMaskedBody`, {LimitsSpec().max_masked_body >> 20} MiB" in PAGE
    assert f"score {NerModelConfiguration().default_score}" in PAGE.replace("\n  ", " ")
    assert NerSpec.model_fields["threshold"].default == 0.5


def test_the_mapping_of_labels() -> None:
    """Is Presidio's own."""
    mapping = NerModelConfiguration().model_to_presidio_entity_mapping
    assert {label: mapping[label] for label in ("GPE", "LOC", "ORG", "PER")} == {
        "GPE": "LOCATION", "LOC": "LOCATION", "ORG": "ORGANIZATION", "PER": "PERSON",
    }  # fmt: skip


def test_presidios_configuration() -> None:
    """Is one for Presidio."""
    [shown] = [block for block in blocks("yaml") if "nlp_engine_name" in block.text]
    ConfigurationValidator.validate_nlp_configuration(yaml.safe_load(shown.text))


def test_commands_are_ones_of_a_shell() -> None:
    """Nothing else hides in the blocks."""
    assert len(CONSOLE) > 1
    assert all(shlex.split(line[2:]) for block in CONSOLE for line in block.text.splitlines() if line.startswith("$ "))
