"""``gatehold check``: every problem on a line, and an exit code."""

import json
import shutil
from pathlib import Path

import pytest

from gatehold.cli.main import main

CASES = Path(__file__).parents[2] / "cases" / "config"


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_good_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(["check", "--config", str(CASES / "good" / "example")], capsys)
    assert (code, err) == (0, "")
    assert out.startswith("default: ok; 3 targets, ")
    assert out.count("\n") == 1


@pytest.mark.parametrize("case", sorted(path.name for path in (CASES / "broken").iterdir()))
def test_every_problem_of_a_broken_one(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard output, one on each line, as ``file:line: message``."""
    monkeypatch.chdir(CASES / "broken" / case)
    code, out, err = run(["check", "--config", "."], capsys)
    assert (code, err) == (2, "")
    assert out == Path("problems.txt").read_text(encoding="utf-8")


def test_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "broken" / "together")
    code, out, _ = run(["check", "--config", ".", "--json"], capsys)
    assert code == 2
    items = json.loads(out)["items"]
    lines = [f"{item['file']}:{item['line']}: {item['message']}" for item in items]
    assert lines == Path("problems.txt").read_text(encoding="utf-8").splitlines()
    code, out, _ = run(["check", "--config", str(CASES / "good" / "minimal"), "--json"], capsys)
    assert (code, json.loads(out)) == (0, {"items": []})


def test_resolve_looks_for_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it nothing that is secret has to be there."""
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    directory = shutil.copytree(CASES / "good" / "example", tmp_path / "config")
    code, out, _ = run(["check", "--config", str(directory), "--resolve"], capsys)
    assert code == 2
    assert "target crm: ${env:CRM_TOKEN} is not set" in out
    assert out.count("ca.crt: No such file") == 2
    (directory / "openapi").mkdir()
    for name in ("ca.crt", "openapi/crm.yaml"):
        (directory / name).touch()
    for name in ("CRM_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "hunter2")
    code, out, err = run(["check", "--config", str(directory), "--resolve"], capsys)
    assert code == 0
    assert "hunter2" not in out + err


def test_resolve_reads_certificates_of_saml_providers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that can be read may verify nothing all the same."""
    provider = "{name: staff, entityId: e, certificate: idp.pem, audience: a, recipient: r}"
    (tmp_path / "gateway.yaml").write_text(
        "apiVersion: gatehold.dev/v1\nkind: Gateway\nmetadata: {name: default}\n"
        "spec:\n  listen: [{mode: regular, host: 127.0.0.1, port: 8080}]\n"
        f"  identity: {{issuers: [], saml: [{provider}]}}\n"
    )
    code, out, _ = run(["check", "--config", str(tmp_path), "--resolve"], capsys)
    assert (code, out.count("idp.pem")) == (2, 1)
    assert "No such file" in out
    (tmp_path / "idp.pem").write_text("no certificate")
    code, out, _ = run(["check", "--config", str(tmp_path), "--resolve"], capsys)
    assert (code, out.count("idp.pem")) == (2, 1)
    assert "SAML provider staff" in out


def test_a_directory_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["check", "--config", "/nowhere/at/all"], capsys)
    assert (code, out) == (2, "/nowhere/at/all: there is no such directory\n")


def test_strict_tells_of_listeners_without_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where it is asked for; together with what `--resolve` finds."""
    directory = shutil.copytree(CASES / "good" / "minimal", tmp_path / "config")
    (directory / "gateway.yaml").write_text(
        "apiVersion: gatehold.dev/v1\nkind: Gateway\nmetadata: {name: default}\n"
        "spec:\n  listen: [{mode: regular, host: 0.0.0.0, port: 8080}]\n"
    )
    for other in directory.glob("*.yaml"):
        if other.name != "gateway.yaml":
            other.unlink()
    assert run(["check", "--config", str(directory)], capsys)[0] == 0
    code, out, _ = run(["check", "--config", str(directory), "--strict", "--resolve"], capsys)
    assert code == 2
    assert out.count("\n") == 1
    assert "gateway.yaml:4: listen[0]: agents show their tokens to 0.0.0.0:8080 in the open" in out
