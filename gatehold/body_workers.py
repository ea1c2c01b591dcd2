"""Masks large bodies in processes of their own, so that nobody waits for the interpreter's lock meanwhile.

A thread is not enough for them: one regular expression or collection of garbage over megabytes holds the lock, and with
it the event loop, for hundreds of milliseconds. The processes are started by the gateway, or by the first large body,
which waits for one. They get no environment but what an interpreter needs, and end with the gateway. A process that
ends, or takes too long, costs the one body that it was at: that is not masked, and so withheld.
"""

import contextlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from queue import Empty, LifoQueue
from typing import Any, BinaryIO, cast

from gatehold.body_worker import read_frame, write_frame
from masking.encodings import Decoder, Limits, coding
from masking.engine import Given, Masked, MaskingEngine
from masking.errors import Unmaskable, refusing
from masking.profiles import MaskProfileSpec, Profile
from masking.pseudonyms import Pseudonyms
from recordings.interpreter import start_python

logger = logging.getLogger(__name__)

LARGE = 32 * 1024
"""Bytes of a body from which on it is masked in another process."""
LOOKED_THROUGH = 1 << 20
"""Bytes of a body up to which it is looked through here first: longer ones hold the lock for milliseconds."""
SECONDS = 60.0
"""A body that takes longer is not masked at all."""
_SLICE = 1024
"""Bytes of a compressed body that are decoded at once: they may become a megabyte."""
_AGAIN = 30.0
"""Seconds after which a process that did not start is tried again."""


class _Process:
    """One process; used by one thread at a time."""

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self._process = start_python("gatehold.body_worker")
        self._requests, self._answers = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)
        try:
            self.exchange(setup, b"")
        except BaseException:
            self.stop()
            raise

    def exchange(self, facts: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """A frame for a frame; raises OSError or EOFError where the process ended or took too long."""
        timer = threading.Timer(SECONDS, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            write_frame(self._requests, facts, body)
            return read_frame(self._answers)
        finally:
            timer.cancel()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                stream.close()


class BodyWorkers:
    """A few processes, each for one body at a time. Safe to use from several threads."""

    def __init__(self, setup: Mapping[str, Any], count: int) -> None:
        self._setup = setup
        self._count = count
        self._idle: LifoQueue[_Process] = LifoQueue()
        self._lock = threading.Lock()
        self._processes: set[_Process] = set()
        self._started = self._stopped = False

    def start(self) -> None:
        """Start them, beside everything else; once."""
        with self._lock:
            starts, self._started = not self._started and not self._stopped, True
        if starts:
            for _ in range(self._count):
                threading.Thread(target=self._start_one, name="gatehold-body-worker", daemon=True).start()

    @property
    def are_wanted(self) -> bool:
        """Is work done in processes at all?"""
        return self._count > 0

    @property
    def ready(self) -> bool:
        """Is there a process by now? The first question starts them."""
        self.start()
        return bool(self._processes)

    def exchange(self, facts: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """What a process answers; raises Unmaskable where it ends over it, or none becomes free in time."""
        self.start()
        process = self._free()
        try:
            answer = process.exchange(facts, body)
        except (OSError, EOFError, ValueError):
            self._replace(process)
            raise Unmaskable("the process that masked a large body ended") from None
        except BaseException:
            self._replace(process)  # its next answer would be that to another body
            raise
        self._idle.put(process)
        return answer

    def _free(self) -> _Process:
        """A process that waits for work; those that ended meanwhile are replaced."""
        while True:
            try:
                process = self._idle.get(timeout=SECONDS)
            except Empty:
                raise Unmaskable("no process is free to mask a large body") from None
            if process.is_alive:
                return process
            self._replace(process)

    def stop(self) -> None:
        """End them all."""
        with self._lock:
            self._stopped = True
            processes, self._processes = self._processes, set()
        for process in processes:
            process.stop()

    def _start_one(self) -> None:
        try:
            process = _Process(self._setup)
        except (OSError, EOFError):
            logger.error("gatehold: a process for large bodies did not start")  # noqa: TRY400 - nothing to trace
            self._start_later()
            return
        with self._lock:
            if not self._stopped:
                self._processes.add(process)
                self._idle.put(process)
                return
        process.stop()

    def _start_later(self) -> None:
        timer = threading.Timer(_AGAIN, self._start_again)
        timer.daemon = True
        timer.start()

    def _start_again(self) -> None:
        if not self._stopped:
            self._start_one()

    def _replace(self, process: _Process) -> None:
        with self._lock:
            self._processes.discard(process)
        process.stop()
        threading.Thread(target=self._start_one, name="gatehold-body-worker", daemon=True).start()


class SpreadMasking(MaskingEngine):
    """The masking engine of a gateway. Large bodies are masked in other processes: call it from a thread for those."""

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        *,
        documents: Mapping[str, MaskProfileSpec],
        key: bytes,
        limits: Limits,
        processes: int | None = None,
    ) -> None:
        """``documents``: of which the profiles were made, but for built-in ones. ``processes``: two at most."""
        super().__init__(profiles, key=key, limits=limits)
        setup = {
            "profiles": {name: json.loads(_spelled(spec)) for name, spec in documents.items()},
            "limits": asdict(limits),
            "key": key.hex(),
        }
        self.workers = BodyWorkers(setup, min(2, os.cpu_count() or 1) if processes is None else processes)

    def masked(self, given: Given) -> Masked:
        """As every engine does it; a large body elsewhere, unless hardly anything of it has to be judged."""
        if not given.profiles or not self.workers.are_wanted or not self._is_large(given):
            return super().masked(given)
        quick = self.masked_at_once(given, most=LOOKED_THROUGH)
        if quick is not None:
            return quick
        pseudonyms = given.pseudonyms
        facts = {
            "type": given.content_type,
            "encoding": given.content_encoding,
            "profiles": given.profiles,
            "owner": pseudonyms and _owner(pseudonyms),
        }
        with refusing():
            told, masked = self.workers.exchange(facts, given.body)
            if "unmaskable" in told:
                raise Unmaskable(told["unmaskable"])
            for token, entity, value in told["kept"]:
                if pseudonyms and pseudonyms.vault:
                    pseudonyms.vault.keep(token, entity, value)
        return Masked(body=given.body if told["same"] else masked, counts=told["counts"], encoding=told["encoding"])

    def _is_large(self, given: Given) -> bool:
        """Whether it is, or becomes so without its coding, of which no more is taken away than it takes to tell."""
        body, size = given.body, 0
        if len(body) >= LARGE:
            return True
        with refusing():
            decoder = Decoder(coding(given.content_encoding), self._limits)
            for at in range(0, len(body), _SLICE):
                size += len(decoder.feed(body[at : at + _SLICE]))
                if size >= LARGE:
                    return True
        return False


def _spelled(spec: MaskProfileSpec) -> str:
    return spec.model_dump_json(by_alias=True, exclude_unset=True)


def _owner(pseudonyms: Pseudonyms) -> dict[str, Any]:
    return {"name": pseudonyms.owner, "key": pseudonyms.key.hex(), "vault": pseudonyms.vault is not None}
