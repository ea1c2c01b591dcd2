"""The commands that "run" in the demo's containers. Nothing is executed: each is a few lines of Python.

==================== ====================================================================
echo WORD...         the words
env, printenv        the container's environment, values from secrets and config maps resolved
cat                  what comes in on stdin, until it ends
cat PATH...          a made-up file
seq LAST             the numbers from 1, for output of any size
tar cf - PATH        an archive with that made-up file in it
tar -xmf - ...       takes an archive on stdin
test ...             is true
exit CODE            ends with that code
sh -c TEXT           the commands in TEXT, separated by `;`
==================== ====================================================================
"""

import base64
import io
import shlex
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, namespace_of
from gatehold.demo.kubernetes.resources import CONFIGMAPS, SECRETS
from gatehold.demo.kubernetes.storage import Store

SYNTAX_ERROR, NOT_FOUND = 2, 127
CHUNK = 32 * 1024
"""Bytes of output at a time."""
SHELLS = frozenset({"sh", "bash", "/bin/sh", "/bin/bash"})


class ExitError(Exception):
    """The shell ends with a code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The three streams of a command."""

    stdin: AsyncIterator[bytes]
    stdout: Callable[[bytes], Awaitable[None]]
    stderr: Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell in one container of a pod."""

    terminal: Terminal
    environment: dict[str, str]

    async def run(self, argv: list[str]) -> int:
        """Run a command; returns its exit code."""
        try:
            return await self._run(argv)
        except ExitError as end:
            return end.code
        except ValueError as error:
            await self.terminal.stderr(f"sh: syntax error: {error}\n".encode())
            return SYNTAX_ERROR

    async def _run(self, argv: list[str]) -> int:
        name, *words = argv or [""]
        match name:
            case _ if name in SHELLS:
                return await self._script(words)
            case "echo":
                await self.terminal.stdout(f"{' '.join(words)}\n".encode())
            case "env" | "printenv":
                text = "".join(f"{key}={value}\n" for key, value in self.environment.items())
                await self.terminal.stdout(text.encode())
            case "cat":
                await self._cat(words)
            case "id":
                await self.terminal.stdout(b"uid=1000(app) gid=1000(app) groups=1000(app)\n")
            case "seq":
                await self._count(_number(words))
            case "tar":
                await self._tar(words)
            case "test":
                return 0
            case "exit":
                raise ExitError(_number(words))
            case _:
                await self.terminal.stderr(f"sh: {name}: not found\n".encode())
                return NOT_FOUND
        return 0

    async def _script(self, words: list[str]) -> int:
        """`sh -c TEXT`, or commands from stdin, line by line."""
        code = 0
        if words[:1] == ["-c"] and len(words) > 1:
            for command in words[1].split(";"):
                code = await self._run(shlex.split(command))
            return code
        async for line in self.terminal.stdin:
            for command in line.decode("utf-8", "replace").replace("\n", ";").split(";"):
                code = await self._run(shlex.split(command)) if command.strip() else code
        return code

    async def _cat(self, paths: list[str]) -> None:
        for path in paths:
            await self.terminal.stdout(f"# {path}\nowner: Jane Doe <jane.doe@example.com>\n".encode())
        if not paths:
            async for data in self.terminal.stdin:
                await self.terminal.stdout(data)

    async def _tar(self, words: list[str]) -> None:
        """What ``kubectl cp`` runs."""
        if words[:2] == ["cf", "-"]:
            await self.terminal.stdout(_archive(words[2:]))
            return
        async for _ in self.terminal.stdin:
            pass

    async def _count(self, last: int) -> None:
        text = b""
        for number in range(1, last + 1):
            text += b"%d\n" % number
            if len(text) >= CHUNK:
                await self.terminal.stdout(text)
                text = b""
        await self.terminal.stdout(text)


def _archive(paths: list[str]) -> bytes:
    """A tar of made-up files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in paths:
            content = f"# {path}\n".encode()
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def environment_of(store: Store, pod: KubernetesObject, container: str) -> dict[str, str]:
    """The environment of a container, references resolved."""
    containers = lookup(pod, "spec.containers") or []
    chosen = next((row for row in containers if row["name"] == container), containers[0] if containers else {})
    found = {"HOSTNAME": str(lookup(pod, "metadata.name")), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    for row in chosen.get("env") or []:
        found[row["name"]] = row.get("value") or _resolved(store, pod, row.get("valueFrom") or {})
    return found


def _resolved(store: Store, pod: KubernetesObject, source: dict[str, Any]) -> str:
    if reference := source.get("secretKeyRef"):
        secret = store.find(SECRETS, namespace_of(pod), reference["name"]) or {}
        return base64.b64decode((secret.get("data") or {}).get(reference["key"], "")).decode("utf-8", "replace")
    if reference := source.get("configMapKeyRef"):
        config = store.find(CONFIGMAPS, namespace_of(pod), reference["name"]) or {}
        return str((config.get("data") or {}).get(reference["key"], ""))
    return str(lookup(pod, (source.get("fieldRef") or {}).get("fieldPath", "")) or "")


def _number(words: list[str]) -> int:
    return int(words[0]) if words and words[0].isascii() and words[0].isdigit() else 0
