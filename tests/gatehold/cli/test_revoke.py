import json
import time

import pytest
from typer.testing import CliRunner

from gatehold.cli.revoke import app


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_what_was_taken_away_can_be_given_back(config: str) -> None:
    """Both say what they did; lifting needs the same words, and finds nothing the second time."""
    code, revoked = run("--subject", "a1", "--issuer", "corp", "--config", config)
    assert code == 0
    assert revoked.endswith(": revoked subject a1 of issuer corp\n")
    assert run("--subject", "a2", "--lift", "--config", config) == (0, "nothing was revoked in these words\n")
    code, lifted = run("--subject", "a1", "--lift", "--config", config)
    assert (code, lifted) == (0, revoked.replace(": revoked", ": lifted"))
    assert run("--subject", "a1", "--lift", "--config", config) == (0, "nothing was revoked in these words\n")


@pytest.mark.parametrize(
    ("words", "reach", "value"),
    [
        (["--session", "s1"], "session", "s1"),
        (["--issuer", "corp"], "issuer", "corp"),
        (["--all"], "all", ""),
    ],
)
def test_how_far_it_reaches(config: str, words: list[str], reach: str, value: str) -> None:
    """Each option is one reach; ``--for`` says how long."""
    before = time.time()
    code, output = run(*words, "--for", "1h", "--json", "--config", config)
    (item,) = json.loads(output)["items"]
    assert (code, item["reach"], item["value"]) == (0, reach, value)
    assert before + 3600 <= item["until"] <= time.time() + 3600


@pytest.mark.parametrize(
    "words",
    [[], ["--all", "--subject", "a1"], ["--session", "s1", "--issuer", "corp"], ["--subject", "a1", "--for", "soon"]],
)
def test_words_that_do_not_say_whom(config: str, words: list[str]) -> None:
    """Nothing is revoked by half a sentence."""
    code, output = run(*words, "--config", config)
    assert code == 2
    assert output.startswith("gatehold: ")


def test_an_api_key_is_named_by_its_id(config: str) -> None:
    """It can be given back, unlike by ``gatehold keys revoke``."""
    code, revoked = run("--key", "key_1", "--config", config)
    assert (code, revoked.endswith(": revoked key key_1\n")) == (0, True)
    assert run("--key", "key_1", "--subject", "a1", "--config", config)[0] == 2
    assert run("--key", "key_1", "--lift", "--config", config) == (0, revoked.replace(": revoked", ": lifted"))
