"""Law: what the documents show works: the example's policy does what it says, and every command that is named exists."""

import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
import typer
import yaml

from gatehold.cli.main import COMMANDS, main
from policy.rules.schema import PolicyDocument

ROOT = Path(__file__).resolve().parents[1]
BASIC = ROOT / "examples" / "basic"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (ROOT / "README.md", BASIC / "README.md", BASIC / "gateway.yaml")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def basic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example alone, without any secret."""
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    directory = tmp_path / "basic"
    directory.mkdir()
    for file in BASIC.glob("*.yaml"):
        shutil.copy(file, directory)
    return directory


def test_the_example_is_fine(basic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(["check", "--config", str(basic)], capsys)
    assert (code, err) == (0, "")
    assert out.startswith("basic: ok; 3 targets, ")


def test_the_example_passes_its_tests(basic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And every rule of it is tried by one of them."""
    code, out, _ = run(["policy", "test", "--config", str(basic)], capsys)
    assert code == 0, out
    assert out.rstrip().endswith("passed, 0 failed")
    counts = [line.split() for line in out.splitlines() if re.match(r"[a-z0-9-]+ +\d+ +\d+ +\d+ +\d+$", line)]
    assert len(counts) == len(yaml.safe_load((BASIC / "policy.yaml").read_text())["rules"])
    assert not [rule for rule, matched, true, _, _ in counts if matched == "0" or true == "0"]


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_policy_of_the_readme_loads() -> None:
    documents = [each for block in blocks("yaml") for each in yaml.safe_load_all(block)]
    policies = [PolicyDocument.model_validate(each) for each in documents if each["kind"] == "Policy"]
    assert policies
    assert policies[0].rules


def test_the_policy_of_the_readme_serves_in_the_example(basic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the place of the example's own: it names a target that is there."""
    [policy] = blocks("yaml")
    (basic / "policy.yaml").write_text(policy, encoding="utf-8")
    (basic / "tests.yaml").unlink()
    gateway = (basic / "gateway.yaml").read_text(encoding="utf-8")
    (basic / "gateway.yaml").write_text(gateway.replace("policies: [basic]", "policies: [platform]"), encoding="utf-8")
    code, out, _ = run(["check", "--config", str(basic)], capsys)
    assert code == 0, out


def command_of(words: list[str]) -> click.Command:
    """The command that these words name. Raises KeyError where there is none."""
    entry = COMMANDS[words[0]]
    app = import_module(entry.module).app
    if not entry.is_group:
        return typer.main.get_command(app)
    group = typer.main.get_group(app)
    return group if len(words) == 1 else group.commands[words[1]]


def named_commands(text: str) -> list[list[str]]:
    """The words of every command in code blocks, comments and inline code.

    In inline code a noun goes on holding: `recordings list`, `show` stands for two commands.
    """
    fenced = "".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"^ *#.*\n", text, re.MULTILINE))
    commands = [each.split() for each in re.findall(r"\bgatehold((?: +[a-z][a-z-]*)+)", fenced)]
    noun = ""
    for span in re.findall(r"`([a-z][a-z -]*)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        words = span.removeprefix("gatehold ").split()
        if not span.startswith("gatehold ") and words[0] not in COMMANDS:
            words = [noun, *words] if noun and len(words) == 1 else []
        if words:
            noun = words[0]
            commands.append(words)
    return commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_command_that_is_named_exists(document: Path) -> None:
    commands = named_commands(document.read_text(encoding="utf-8"))
    assert commands
    for words in commands:
        assert words[0] in COMMANDS, words
        assert command_of(words[: 2 if COMMANDS[words[0]].is_group else 1])


def test_the_scripts_of_the_readme_exist() -> None:
    for script in set(re.findall(r"\bscripts/\w+", README)):
        assert (ROOT / script).stat().st_mode & 0o111, script
    assert Path(sys.executable).with_name("mitmdump").exists()


def test_the_links_of_the_example_lead_somewhere() -> None:
    text = (BASIC / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (BASIC / target).exists(), target
