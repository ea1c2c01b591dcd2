"""The commands of the demo's containers."""

from collections.abc import AsyncIterator

import pytest

from gatehold.demo.kubernetes.resources import PODS
from gatehold.demo.kubernetes.seed import PASSWORDS, seeded_store
from gatehold.demo.kubernetes.shells import Shell, Terminal, environment_of


async def run(argv: list[str], stdin: tuple[bytes, ...] = ()) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of a command."""
    out: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    async def typed() -> AsyncIterator[bytes]:
        for data in stdin:
            yield data

    async def stdout(data: bytes) -> None:
        out["stdout"] += data

    async def stderr(data: bytes) -> None:
        out["stderr"] += data

    shell = Shell(terminal=Terminal(stdin=typed(), stdout=stdout, stderr=stderr), environment={"A": "1", "B": "2"})
    return await shell.run(argv), out["stdout"], out["stderr"]


@pytest.mark.parametrize(
    ("argv", "code", "stdout"),
    [
        (["echo", "a", "b"], 0, b"a b\n"),
        (["env"], 0, b"A=1\nB=2\n"),
        (["seq", "3"], 0, b"1\n2\n3\n"),
        (["sh", "-c", "echo 'a  b'; exit 3; echo c"], 3, b"a  b\n"),
        (["exit"], 0, b""),
        (["sh", "-c"], 0, b""),
    ],
)
async def test_commands(argv: list[str], code: int, stdout: bytes) -> None:
    """Each command does its few lines."""
    assert await run(argv) == (code, stdout, b"")


async def test_stdin() -> None:
    """cat hands through what is typed; a shell runs it line by line."""
    assert await run(["cat"], (b"one", b"two")) == (0, b"onetwo", b"")
    assert await run(["sh"], (b"echo a\necho b\n", b"exit 4\n")) == (4, b"a\nb\n", b"")


async def test_unknown_and_broken_commands() -> None:
    """Not found is 127; a quote that never ends is a syntax error, not a crash."""
    assert await run(["ls"]) == (127, b"", b"sh: ls: not found\n")
    assert await run([]) == (127, b"", b"sh: : not found\n")
    assert (await run(["sh", "-c", "echo 'a"]))[0] == 2


def test_environment_resolves_references() -> None:
    """Values from secrets are in the environment, as in a real container."""
    store = seeded_store()
    pod = store.items(PODS, "prod")[0]
    environment = environment_of(store, pod, "web")
    assert environment["DB_PASSWORD"] == PASSWORDS["prod"]
    assert environment["HOSTNAME"] == pod["metadata"]["name"]
