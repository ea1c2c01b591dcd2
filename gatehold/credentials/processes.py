"""Commands that print credentials: a process of its own, nothing on its standard input, bounds on its time and output.

What it prints on standard error is thrown away: it may hold anything.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.sources import CredentialDelayed

MAX_OUTPUT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run."""

    title: str
    """As messages call it."""
    program: str
    """A path, or a name that is looked for in ``PATH``."""
    arguments: Sequence[str] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Beside the gateway's own."""
    directory: Path | None = None
    """Where it runs; None: where the gateway does."""


async def output_of(command: Command, limit: float) -> bytes:
    """What it prints within ``limit`` seconds. Raises ``CredentialUnavailable``, which names the command only."""
    program = shutil.which(command.program)
    if program is None:
        raise CredentialUnavailable(f"{command.title}: there is no such command")
    process = await _start(command, program)
    try:
        async with asyncio.timeout(limit):
            output = await _all_of(process.stdout, command)
            status = await process.wait()
    except TimeoutError:
        await _end(process)
        raise CredentialDelayed(f"{command.title}: not done within {limit:g} s") from None
    except BaseException:
        await _end(process)
        raise
    if status != 0:
        raise CredentialDelayed(f"{command.title}: exit status {status}")
    return output


async def _start(command: Command, program: str) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            program,
            *command.arguments,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise CredentialUnavailable(f"{command.title}: cannot be started ({type(error).__name__})") from None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its children as well: they share its group, and may hold its output open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _all_of(stream: asyncio.StreamReader | None, command: Command) -> bytes:
    if stream is None:
        return b""
    try:
        await stream.readexactly(MAX_OUTPUT + 1)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    raise CredentialUnavailable(f"{command.title}: prints more than {MAX_OUTPUT} bytes")
