"""Exec credential plugins, with real processes."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.moments import unix_time
from gatehold.credentials.plugins import Plugin, plugin_of, run
from gatehold.credentials.processes import MAX_OUTPUT

V1 = "client.authentication.k8s.io/v1"


def script(directory: Path, text: str) -> Plugin:
    """A plugin that runs this shell script."""
    file = directory / "plugin.sh"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o700)
    return plugin_of({"apiVersion": V1, "command": "./plugin.sh"}, directory, None)


def credential(**status: Any) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})


async def test_a_token_with_its_end(tmp_path: Path) -> None:
    """What a plugin prints is the credential; its time is RFC 3339."""
    printed = credential(token="planted-1", expirationTimestamp="2027-01-15T08:00:00Z")
    given = await run(script(tmp_path, f"echo '{printed}'"))
    assert given.token is not None
    assert given.token.reveal() == "planted-1"
    assert given.expires_at == 1_800_000_000.0
    assert "planted" not in repr(given)


async def test_what_a_plugin_is_told(tmp_path: Path) -> None:
    """Arguments, variables, the cluster if it asks for it, its own directory, and no terminal."""
    plugin_file = tmp_path / "plugin.sh"
    plugin_file.write_text(
        "#!/bin/sh\n"
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > info.json\n"
        'printf \'%s|%s|%s\' "$1" "$EXTRA" "$(cat)" > told.txt\n'
        f"echo '{credential(token='t')}'\n"
    )
    plugin_file.chmod(0o700)
    section = {
        "apiVersion": V1,
        "command": "./plugin.sh",
        "args": ["get token"],
        "env": [{"name": "EXTRA", "value": "more"}],
        "provideClusterInfo": True,
    }
    await run(plugin_of(section, tmp_path, {"server": "https://c"}))
    info = json.loads((tmp_path / "info.json").read_text())
    assert info == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://c"}},
    }
    assert (tmp_path / "told.txt").read_text() == "get token|more|"


async def test_commands_without_a_slash_are_found_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As client-go does; a file of that name in the kubeconfig's directory does not count."""
    script(tmp_path, f"echo '{credential(token='t')}'").directory.joinpath("plugin.sh").rename(tmp_path / "helper")
    plugin = plugin_of({"apiVersion": V1, "command": "helper"}, tmp_path, None)
    with pytest.raises(CredentialUnavailable, match="no such command"):
        await run(plugin)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert (await run(plugin)).token is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("echo planted >&2; exit 3", "exit status 3"),
        ("echo planted", "prints no ExecCredential"),
        ("echo '[]'", "prints no ExecCredential"),
        ("echo '{}'", "prints no ExecCredential"),
        (f"echo '{credential(token='planted').replace('/v1', '/v1beta1')}'", "prints no ExecCredential"),
        (f"echo '{credential()}'", "prints no ExecCredential"),
        (f"echo '{credential(token=5)}'", "prints no ExecCredential"),
        (f"echo '{credential(clientCertificateData='planted')}'", "prints no ExecCredential"),
        (f"echo '{credential(token='planted', expirationTimestamp='soon')}'", "prints no ExecCredential"),
        (f"head -c {MAX_OUTPUT + 1} /dev/zero", "prints more than"),
    ],
)
async def test_plugins_that_fail(tmp_path: Path, text: str, problem: str) -> None:
    """Told by the command's name; neither output nor errors are repeated."""
    with pytest.raises(CredentialUnavailable, match=problem) as error:
        await run(script(tmp_path, text))
    assert "planted" not in str(error.value)


async def test_plugins_that_hang_are_ended_with_their_children(tmp_path: Path) -> None:
    """The whole process group, so that nothing of it stays."""
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    plugin = script(tmp_path, "sleep 60 > alive & wait")
    with pytest.raises(CredentialUnavailable, match=r"not done within 0\.5 s"):
        await run(plugin, timeout=0.5)
    os.set_blocking(alive, True)
    assert await asyncio.to_thread(os.read, alive, 1) == b""  # the end comes when the last child is gone
    os.close(alive)


@pytest.mark.parametrize("argument", ["a\x00b", "x" * 10**6])
async def test_plugins_that_cannot_be_started(tmp_path: Path, argument: str) -> None:
    """What the system refuses is no fault of the gateway."""
    plugin = plugin_of({"apiVersion": V1, "command": "cat", "args": [argument]}, tmp_path, None)
    with pytest.raises(CredentialUnavailable, match="cannot be started"):
        await run(plugin)


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"apiVersion": V1},
        {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"},
        {"apiVersion": V1, "command": 5},
        {"apiVersion": V1, "command": "x", "args": [5]},
        {"apiVersion": V1, "command": "x", "env": ["A=b"]},
        {"apiVersion": V1, "command": "x", "env": [{"name": "A", "value": 1}]},
        {"apiVersion": V1, "command": "x", "interactiveMode": "Always"},
    ],
)
def test_sections_that_cannot_be_run(tmp_path: Path, section: dict[str, Any]) -> None:
    """Refused before anything is started."""
    with pytest.raises(CredentialUnavailable, match="exec plugin"):
        plugin_of(section, tmp_path, None)


@pytest.mark.parametrize(
    "text", ["2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00.000000000Z"]
)
def test_times(text: str) -> None:
    """RFC 3339 with any zone, and Go's nanoseconds."""
    assert unix_time(text) == 1_800_000_000.0
