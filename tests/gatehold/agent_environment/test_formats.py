"""Law: what a reader of a format makes of a value is the value, with the token in its place."""

import base64
import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehold.agent_environment.formats import compose, dotenv, kubernetes, shell
from gatehold.agent_environment.places import Place
from gatehold.agent_environment.trust import Trust, TrustPaths
from gatehold.agent_environment.variables import Variable, variables
from gatehold.authority import create

SHELLS = [path for name in ("dash", "bash", "sh") if (path := shutil.which(name))]
TOKEN = "eyJ.token-of_the.agent"
AGENTS = variables(Place(scheme="http", host="gateway", port=8080), TrustPaths(directory="/my agents/$HOME `id`"))
ENVIRONMENT = {each.name: each.filled(TOKEN) for each in AGENTS}
PEM = create(now=datetime.now(UTC)).pem
texts = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=30)
some_variables = st.builds(Variable, name=st.just("GATEHOLD_TRIED"), text=texts, then=st.none() | texts)


def read_by(program: str, script: str, **environment: str) -> dict[str, str]:
    """What a shell exports after it was told this."""
    done = subprocess.run([program, "-c", script + "\nenv -0"], env=environment, capture_output=True, check=True, timeout=20)  # fmt: skip
    pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0") if pair)
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("program", SHELLS)
def test_a_shell_reads_the_environment(program: str) -> None:
    read = read_by(
        program, f"eval \"$(cat <<'END'\n{shell(AGENTS)}END\n)\"", GATEHOLD_TOKEN=TOKEN, PATH="/usr/bin:/bin"
    )
    assert ENVIRONMENT.items() <= read.items()


@pytest.mark.parametrize("program", SHELLS)
@given(variable=some_variables)
@settings(max_examples=40)
def test_a_shell_reads_any_value(program: str, variable: Variable) -> None:
    """Nothing is expanded, run or cut but the token."""
    read = read_by(program, shell([variable]), GATEHOLD_TOKEN=TOKEN, PATH="/usr/bin:/bin")
    assert read["GATEHOLD_TRIED"] == variable.filled(TOKEN)


@pytest.mark.parametrize("program", SHELLS)
@pytest.mark.parametrize("environment", [{}, {"GATEHOLD_TOKEN": ""}])
def test_a_shell_without_a_token(program: str, environment: dict[str, str]) -> None:
    """Says so, instead of an agent without an identity."""
    done = subprocess.run([program, "-c", shell(AGENTS) + "\necho went on"], env=environment, capture_output=True, text=True, check=False, timeout=20)  # fmt: skip
    assert done.returncode != 0
    assert "it holds the token of the agent" in done.stderr
    assert "went on" not in done.stdout


def test_no_token_is_asked_for_where_none_stands() -> None:
    """Behind an agent proxy."""
    assert shell([Variable(name="A", text="b")]) == "export A=b\n"


@pytest.mark.parametrize("program", SHELLS)
def test_a_dotenv_file_is_read_alike(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By shells and by python-dotenv."""
    file = tmp_path / "agent.env"
    file.write_text(dotenv(AGENTS))
    read = read_by(program, f"set -a; . {file}", GATEHOLD_TOKEN=TOKEN, PATH="/usr/bin:/bin")
    assert ENVIRONMENT.items() <= read.items()
    monkeypatch.setenv("GATEHOLD_TOKEN", TOKEN)
    assert dotenv_values(file) == ENVIRONMENT


@given(variable=some_variables)
@settings(max_examples=60)
def test_a_dotenv_file_is_exact_or_refused(variable: Variable) -> None:
    try:
        text = dotenv([variable])
    except ValueError:
        return
    assert dotenv_values(stream=io.StringIO(text.replace("${GATEHOLD_TOKEN}", TOKEN)), interpolate=False) == {
        "GATEHOLD_TRIED": variable.filled(TOKEN)
    }
    assert read_by(SHELLS[0], f"set -a\n{text}", GATEHOLD_TOKEN=TOKEN)["GATEHOLD_TRIED"] == variable.filled(TOKEN)


def interpolated(text: str) -> str:
    """As the Compose specification fills in values."""
    return "$".join(part.replace("${GATEHOLD_TOKEN}", TOKEN) for part in text.split("$$"))


@given(variable=some_variables.filter(lambda each: (each.text + (each.then or "")).isprintable()))
def test_compose_reads_any_value(variable: Variable) -> None:
    document = yaml.safe_load(compose([variable], service="agent", source="/a$b", mount="/c"))
    [service] = document["services"].values()
    assert interpolated(service["environment"]["GATEHOLD_TRIED"]) == variable.filled(TOKEN)
    assert service["volumes"] == [{"type": "bind", "source": "/a$$b", "target": "/c", "read_only": True}]


def test_kubernetes_objects() -> None:
    """Two objects that can be applied; the pod's part stands above them, and reads as YAML too."""
    text = kubernetes(AGENTS, Trust(authority=PEM, bundle=PEM), name="coder", mount="/etc/gatehold")
    secret, files = yaml.safe_load_all(text.replace("${GATEHOLD_TOKEN}", TOKEN))
    assert secret["stringData"] == ENVIRONMENT | {"GATEHOLD_TOKEN": TOKEN}
    assert files["data"] == {"ca.pem": PEM.decode(), "ca-bundle.pem": PEM.decode()}
    assert base64.b64decode(files["binaryData"]["truststore.p12"])[:1] == b"\x30"
    assert {secret["metadata"]["name"], files["metadata"]["name"]} == {"coder"}
    comments = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    pod: dict[str, Any] = yaml.safe_load("\n".join(comments))
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "coder"}}]
    assert pod["volumes"] == [{"name": "gatehold", "configMap": {"name": "coder"}}]


def test_kubernetes_without_a_token() -> None:
    """An agent proxy in the pod reads it from a file."""
    text = kubernetes([Variable(name="A", text="b")], Trust(authority=PEM, bundle=PEM), name="x", mount="/m")
    secret, _ = yaml.safe_load_all(text)
    assert secret["stringData"] == {"A": "b"}
