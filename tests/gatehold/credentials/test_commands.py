"""Law: what a command prints is read in one of three formats, or not at all; nothing of it is ever told."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.credential_sources import ExecSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.commands import ExecSource, read_fields
from gatehold.credentials.sources import CredentialDelayed
from tests.gatehold.credentials.clocks import Clock

type Make = Callable[..., ExecSource]
ENDS = "2027-01-15T08:05:00Z"
ENDS_AT = 1_800_000_300.0
EXEC_CREDENTIAL = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "planted-token", "expirationTimestamp": ENDS},
}
AWS = {
    "Version": 1,
    "AccessKeyId": "AKIAPLANTED",
    "SecretAccessKey": "planted-secret",
    "SessionToken": "planted-session",
    "Expiration": ENDS,
}
PLAIN = {"user": "gateway", "password": "planted-password", "expires": ENDS}


@pytest.fixture
def make(clock: Clock, tmp_path: Path) -> Make:
    """Makes a source whose command is this Python program; keywords are keys of the configuration."""

    def source(program: str, **keys: Any) -> ExecSource:
        script = tmp_path / "print-credential"
        script.write_text(f"#!{sys.executable} -S\n{program}\n")
        script.chmod(0o700)
        return ExecSource(ExecSpec.model_validate({"command": str(script)} | keys), clock)

    return source


@pytest.mark.parametrize(
    ("printed", "fields"),
    [
        (EXEC_CREDENTIAL, {"token": "planted-token"}),
        (
            AWS,
            {
                "access_key_id": "AKIAPLANTED",
                "secret_access_key": "planted-secret",
                "session_token": "planted-session",
            },
        ),
        (PLAIN, {"user": "gateway", "password": "planted-password"}),
    ],
)
async def test_formats(make: Make, printed: Any, fields: dict[str, str]) -> None:
    """Each with its own names and its own way to say when it ends."""
    found = await make(f"print({json.dumps(json.dumps(printed))})").obtain(None)
    assert {name: value.reveal() for name, value in found.values.items()} == fields
    assert found.expires_at == ENDS_AT
    assert "planted" not in repr(found)


async def test_what_does_not_say_when_it_ends(make: Make, clock: Clock) -> None:
    """Is used for as long as the configuration says."""
    found = await make('print(\'{"token": "planted"}\')', refresh="90s").obtain(None)
    assert found.expires_at == clock.now + 90


async def test_arguments_and_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own variables beside the gateway's; never a shell."""
    monkeypatch.setenv("FROM_GATEWAY", "planted-1")
    program = (
        "import json, os, sys\n"
        "print(json.dumps({'a': sys.argv[1], 'b': os.environ['FROM_GATEWAY'], 'c': os.environ['OWN'],"
        " 'd': json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind']}))"
    )
    found = await make(program, args=["$(id) ; `id`"], env={"OWN": "planted-2"}).obtain(None)
    values = {name: value.reveal() for name, value in found.values.items()}
    assert values == {"a": "$(id) ; `id`", "b": "planted-1", "c": "planted-2", "d": "ExecCredential"}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "planted-token",
        "[]",
        "{}",
        '{"expires": "2027-01-15T08:05:00Z"}',
        '{"a": 1}',
        '{"a": ""}',
        '{"a": {"b": "c"}}',
        '{"a": "b", "a": "c"}',
        '{"a": "b", "expires": 5}',
        '{"a": "b", "expires": "soon"}',
        '{"kind": "ExecCredential"}',
        '{"kind": "ExecCredential", "status": {}}',
        '{"kind": "ExecCredential", "status": {"token": 1}}',
        '{"Version": 1, "AccessKeyId": "planted"}',
        '{"Version": 2, "AccessKeyId": "a", "SecretAccessKey": "b"}',
    ],
)
async def test_what_is_no_credential(make: Make, printed: str) -> None:
    """Told by the command's name."""
    with pytest.raises(CredentialDelayed, match=r"^command print-credential: what it prints is no credential") as told:
        await make(f"print({printed!r})").obtain(None)
    assert "planted" not in str(told.value)


async def test_commands_that_fail(make: Make, clock: Clock) -> None:
    """By their status, in time, or because there are none; what they say meanwhile is thrown away."""
    with pytest.raises(CredentialDelayed, match="exit status 3") as told:
        await make("import sys\nprint('planted', file=sys.stderr)\nsys.exit(3)").obtain(None)
    assert "planted" not in str(told.value)
    with pytest.raises(CredentialDelayed, match="not done within 1 s"):
        await make("import time\ntime.sleep(600)", timeout="1s").obtain(None)
    nowhere = ExecSource(ExecSpec.model_validate({"command": "no-such-command-anywhere"}), clock)
    with pytest.raises(CredentialUnavailable, match="there is no such command"):
        await nowhere.obtain(None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_is_fields_or_a_value_error(output: bytes) -> None:
    """Fields are texts with something in them."""
    try:
        values, _ = read_fields(output)
    except (ValueError, RecursionError):
        return
    assert values
    assert all(value.reveal() or True for value in values.values())


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name not in {"expires", "kind", "Version"}),
                       st.text(alphabet=st.characters(categories=["L", "N", "P"]), min_size=1), min_size=1))  # fmt: skip
def test_plain_texts_are_what_they_are(printed: dict[str, str]) -> None:
    """Under their own names."""
    values, ends = read_fields(json.dumps(printed).encode())
    assert {name: value.reveal() for name, value in values.items()} == printed
    assert ends is None
