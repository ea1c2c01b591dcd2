"""``gatehold token``: keys and tokens from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from gatehold.cli.token import app

RUN = CliRunner()


def issue(key: Path, *options: str) -> str:
    result = RUN.invoke(app, ["issue", "--key", str(key), "--subject", "planner", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def key(tmp_path: Path) -> Path:
    result = RUN.invoke(app, ["keygen", "--out", str(tmp_path / "keys")])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [str(tmp_path / "keys/jwks.json"), str(tmp_path / "keys/private.pem")]
    return tmp_path / "keys/private.pem"


def test_the_token_alone_is_printed(key: Path) -> None:
    """One line that any JWT library verifies with the published key; every option is in it."""
    further = ("--group", "b", "--group", "a", "--claim", "team=core", "--claim", "note=a=b")
    text = issue(key, "--issuer", "https://i", "--audience", "gate", "--ttl", "2h", *further)
    assert text == text.strip() + "\n"
    (jwk,) = json.loads((key.parent / "jwks.json").read_text())["keys"]
    claims = jwt.decode(text.strip(), jwt.PyJWK(jwk), algorithms=["EdDSA"], audience="gate", issuer="https://i")
    assert (claims["sub"], claims["groups"], claims["team"], claims["note"]) == ("planner", ["a", "b"], "core", "a=b")
    assert claims["exp"] - claims["iat"] == 7200


def test_short_form(key: Path) -> None:
    """Subject and key are enough."""
    claims = jwt.decode(issue(key).strip(), options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == ("gatehold", "gatehold", 3600)


def test_keys_are_replaced_on_request_only(key: Path) -> None:
    """Without ``--force`` the command fails, and the key stays."""
    before = key.read_bytes()
    refused = RUN.invoke(app, ["keygen", "--out", str(key.parent)])
    assert refused.exit_code == 2
    assert "exists" in refused.stderr
    assert key.read_bytes() == before
    assert RUN.invoke(app, ["keygen", "--out", str(key.parent), "--force"]).exit_code == 0
    assert key.read_bytes() != before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--ttl", "soon"], "not a duration"),
        (["--ttl", "0s"], "not a duration"),
        (["--claim", "team"], "NAME=TEXT"),
        (["--claim", "=x"], "NAME=TEXT"),
        (["--claim", "a=1", "--claim", "a=2"], "given twice"),
        (["--claim", "sub=root"], "cannot be set freely"),
        (["--key", "gone.pem"], "gone.pem"),
    ],
)
def test_wrong_usage_prints_no_token(key: Path, options: list[str], problem: str) -> None:
    """Exit code 2, the problem on standard error, nothing on standard output."""
    result = RUN.invoke(app, ["issue", "--key", str(key), "--subject", "s", *options])
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_no_key_is_not_shown(tmp_path: Path) -> None:
    """Its name is enough."""
    (tmp_path / "key.pem").write_text("planted")
    result = RUN.invoke(app, ["issue", "--key", str(tmp_path / "key.pem"), "--subject", "s"])
    assert result.exit_code == 2
    assert "planted" not in result.output


def test_importing_the_command_is_light() -> None:
    """No cryptography, no configuration, no proxy until a command runs."""
    code = "import sys, gatehold.cli.token, gatehold.cli.ca; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("cryptography", "jwt", "pydantic", "httpx2", "mitmproxy", "kubernetes", "presidio_analyzer"):
        assert f"'{heavy}'" not in loaded
