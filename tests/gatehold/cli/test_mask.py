"""``gatehold mask``: bytes, JSON and rows as the documentation says, and exit codes that scripts can rest on."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard
from click.testing import Result
from typer.testing import CliRunner

from gatehold.cli.mask import app

TEXT = "mail bob@example.com, card 4111111111111111\n"

type Mask = Callable[..., Result]


@pytest.fixture
def mask() -> Mask:
    """Runs the command."""

    def run(*arguments: str, given: bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], str]:
    """Writes a file and gives its path."""

    def write(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return write


def test_masked_bytes_stand_on_standard_output(mask: Mask, file: Callable[[str, bytes], str]) -> None:
    """Exactly the bytes that an agent would see."""
    result = mask("--profile", "pii", file("a.txt", TEXT.encode()))
    assert result.exit_code == 0
    assert result.stdout_bytes == b"mail <EMAIL_ADDRESS>, card 4111111111111111\n"


def test_several_profiles_and_standard_input(mask: Mask) -> None:
    """No file means standard input, as ``-`` does."""
    for arguments in ([], ["-"]):
        result = mask("--profile", "pii", "--profile", "pci", *arguments, given=TEXT.encode())
        assert result.stdout == "mail <EMAIL_ADDRESS>, card <CREDIT_CARD>\n"


def test_hits_as_json(mask: Mask, file: Callable[[str, bytes], str]) -> None:
    """Offsets count characters of the decoded text."""
    text = '{"é": "bob@example.com"}'
    result = mask("--profile", "pii", "--json", file("a.json", text.encode()))
    answer = json.loads(result.stdout)
    assert answer["masked"] == '{"é": "<EMAIL_ADDRESS>"}'
    (hit,) = answer["hits"]
    assert hit == {"entity": "EMAIL_ADDRESS", "start": 7, "end": 22, "score": 1.0}
    assert text[7:22] == "bob@example.com"


def test_rows_in_rows_out(mask: Mask, file: Callable[[str, bytes], str]) -> None:
    """One answer per row, in order; content types per row; a bad row does not stop the others."""
    rows = [
        {"text": '{"token": "x"}', "contentType": "application/json"},
        {"text": "a token x"},
        {"text": "{", "contentType": "application/json"},
        {"text": '{"token": 12}', "contentType": None},
        {"texts": ""},
        [],
    ]
    content = "\n".join(map(json.dumps, rows)) + "\nno json\n\n"
    result = mask("--profile", "secrets", "--batch", file("rows.jsonl", content.encode()))
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer.get("masked") for answer in answers] == [
        '{"token": "<SECRET>"}', "a token x", None, '{"token": 10}', None, None, None,
    ]  # fmt: skip
    assert answers[0]["hits"] == [{"entity": "SECRET", "start": 11, "end": 12, "score": 1.0}]
    assert answers[2] == {"error": "not valid JSON"}
    assert answers[4] == {"error": "`text` should be a string"}
    assert all("no JSON object" in answer["error"] for answer in answers[5:])
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "case",
    [
        ("a.json", b'["bob\\u0040example.com"]', [], '["<EMAIL_ADDRESS>"]'),
        ("a.unknown", b'["bob\\u0040example.com"]', [], '["<EMAIL_ADDRESS>"]'),
        ("a.unknown", b"[INFO] bob@example.com", [], "[INFO] <EMAIL_ADDRESS>"),
        ("a.ndjson", b'{}\n["bob\\u0040example.com"]', [], '{}\n["<EMAIL_ADDRESS>"]'),
        ("a.log", b"bob@example.com", [], "<EMAIL_ADDRESS>"),
        ("a.json", b"bob@example.com", ["--content-type", "text/plain"], "<EMAIL_ADDRESS>"),
    ],
)
def test_the_content_type_is_stated_or_told_by_suffix_or_start(mask: Mask, tmp_path: Path, case: list[Any]) -> None:
    """In this order."""
    name, content, options, want = case
    (tmp_path / name).write_bytes(content)
    assert mask("--profile", "pii", *options, str(tmp_path / name)).stdout == want


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", b"{"), ("a.bin", b"\x89PNG\r\n\x1a\n"), ("a.txt", b"caf\xe9")]
)
def test_what_cannot_be_masked_is_not_printed(
    mask: Mask, file: Callable[[str, bytes], str], name: str, content: bytes
) -> None:
    """Exit 1, and not a byte of it."""
    for options in ([], ["--json"]):
        result = mask("--profile", "pii", *options, file(name, content))
        assert (result.exit_code, result.stdout_bytes) == (1, b"")
        assert "cannot be masked" in result.stderr


@pytest.mark.parametrize(
    ("name", "pack"), [("a.json.gz", gzip.compress), ("a.json.br", brotli.compress), ("a.json.zst", zstandard.compress)]
)
def test_compressed_files_are_decoded(
    mask: Mask, file: Callable[[str, bytes], str], name: str, pack: Callable[[bytes], bytes]
) -> None:
    """As the gateway would; what is said of them is about what they hold."""
    path = file(name, pack(b'["bob@example.com"]'))
    assert mask("--profile", "pii", path).stdout == '["<EMAIL_ADDRESS>"]'
    (hit,) = json.loads(mask("--profile", "pii", "--json", path).stdout)["hits"]
    assert hit["start"] == 2
    assert "$[0]" in mask("--profile", "pii", "--table", path).stderr


def test_compressed_standard_input(mask: Mask) -> None:
    """Known by how it begins."""
    assert mask("--profile", "pii", given=gzip.compress(b"bob@example.com")).stdout == "<EMAIL_ADDRESS>"


def test_damaged_files_are_not_printed(mask: Mask, file: Callable[[str, bytes], str]) -> None:
    """Not even their whole part."""
    result = mask("--profile", "pii", file("a.txt.gz", gzip.compress(b"bob@example.com")[:-4]))
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_table_for_people(mask: Mask, file: Callable[[str, bytes], str]) -> None:
    """On standard error, so that the masked bytes can be piped; values only where they are asked for."""
    path = file("a.txt", TEXT.encode())
    plain = mask("--profile", "pii", path)
    assert plain.stderr == ""
    table = mask("--profile", "pii", "--profile", "pci", "--table", path)
    assert table.stdout == "mail <EMAIL_ADDRESS>, card <CREDIT_CARD>\n"
    assert table.stderr.splitlines() == [
        "entity         place  score  operator",
        "EMAIL_ADDRESS  1:6    1.00   replace",
        "CREDIT_CARD    1:28   1.00   replace",
        "EMAIL_ADDRESS 1, CREDIT_CARD 1 (pii, pci)",
    ]
    assert "bob@example.com" in mask("--profile", "pii", "--show", path).stderr
    assert mask("--profile", "pii", "--table", given=b"nothing").stderr == "nothing to hide (pii)\n"


def test_profiles_are_listed(mask: Mask, tmp_path: Path) -> None:
    """Built-in and own, with what they hide."""
    config = _configuration(tmp_path, PROFILE)
    result = mask("--list", "--config", config)
    assert result.exit_code == 0
    assert ["staff", "EMPLOYEE_ID", "pseudonym"] in [line.split() for line in result.stdout.splitlines()]
    items = json.loads(mask("--list", "--json").stdout)["items"]
    assert {"pci", "pii", "secrets", "kubernetes"} <= {item["profile"] for item in items}
    assert items == sorted(items, key=lambda item: str(item["profile"]))


def test_what_to_do_is_said(mask: Mask) -> None:
    """A close name, the list of names, the option that helps."""
    assert "did you mean pii?" in mask("--profile", "pi", given=b"").stderr
    assert "there are" in mask("--profile", "zzzzzz", given=b"").stderr
    assert "--list" in mask(given=b"").stderr
    refused = mask("--profile", "pii", "--content-type", "application/zip", given=b"PK")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--content-type text/plain" in refused.stderr


def test_a_model_that_is_not_there(mask: Mask, tmp_path: Path) -> None:
    """Exit 2 before anything is read."""
    profile = {**PROFILE, "spec": {"ner": {"model": "nowhere", "keys": ["name"]}}}
    result = mask("--profile", "staff", "--config", _configuration(tmp_path, profile), given=b"{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path / "nowhere") in result.stderr


@pytest.mark.parametrize("arguments", [["--profile", "nosuch", "-"], ["--profile", "pii", "/no/such/file"], ["-"]])
def test_wrong_usage(mask: Mask, arguments: list[str]) -> None:
    """Exit 2, with what to do about it."""
    result = mask(*arguments, given=b"")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


PROFILE: dict[str, Any] = {
    "apiVersion": "gatehold.dev/v1",
    "kind": "MaskProfile",
    "metadata": {"name": "staff"},
    "spec": {"extends": ["pii"], "entities": {"EMPLOYEE_ID": {"regex": r"\bE-[0-9]{6}\b", "operator": "pseudonym"}}},
}
GATEWAY: dict[str, Any] = {
    "apiVersion": "gatehold.dev/v1",
    "kind": "Gateway",
    "metadata": {"name": "default"},
    "spec": {"dataDir": "./data"},
}


def _configuration(directory: Path, *documents: dict[str, Any]) -> str:
    text = "\n---\n".join(map(json.dumps, (GATEWAY, *documents)))
    (directory / "gateway.yaml").write_text(text, encoding="utf-8")
    return str(directory)


def test_profiles_of_a_configuration(mask: Mask, tmp_path: Path) -> None:
    """Its pseudonyms are those of the installation, hence the same in every run."""
    config = _configuration(tmp_path, PROFILE)
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True)
    (keys / "pseudonym.key").write_bytes(b"k" * 32)
    results = [mask("--profile", "staff", "--config", config, given=b"E-123456 a@example.com") for _ in range(2)]
    assert [result.exit_code for result in results] == [0, 0], results[0].stderr
    assert results[0].stdout == results[1].stdout
    assert results[0].stdout.startswith("<EMPLOYEE_ID:")
    assert results[0].stdout.endswith("> <EMAIL_ADDRESS>")


def test_a_directory_of_profiles_is_enough(mask: Mask, tmp_path: Path) -> None:
    """Masks are tried before there is a gateway; no Gateway document is asked for."""
    (tmp_path / "staff.yaml").write_text(json.dumps(PROFILE), encoding="utf-8")
    result = mask("--profile", "staff", "--config", str(tmp_path), given=b"E-123456")
    assert (result.exit_code, result.stdout[:13]) == (0, "<EMPLOYEE_ID:")


def test_a_broken_configuration_is_said(mask: Mask, tmp_path: Path) -> None:
    """All its problems, and exit 2."""
    broken = {**PROFILE, "spec": {"extends": ["nosuch"]}}
    result = mask("--profile", "pii", "--config", _configuration(tmp_path, broken), given=b"")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nosuch" in result.stderr
