"""The process in which large bodies are masked and read: ``python -m gatehold.body_worker``.

See ``gatehold.body_workers``, for conditions ``gatehold.far_bodies``.

It reads frames from its standard input and answers each with one on its standard output, until the input ends. The
first frame says what the profiles are; every other one is a body. Of what goes wrong only the reason is told.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from gatehold.body_reader import Reader
from masking.encodings import Limits
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.profiles import MaskProfileSpec, resolve
from masking.pseudonyms import Pseudonyms

_LENGTH = 8


def write_frame(stream: BinaryIO, facts: Mapping[str, Any], body: bytes = b"") -> None:
    """One frame: facts as JSON, then bytes."""
    head = json.dumps(facts).encode()
    stream.write(len(head).to_bytes(_LENGTH) + len(body).to_bytes(_LENGTH) + head)
    if body:
        stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The next frame; raises EOFError where there is none, or not all of one."""
    lengths = _exactly(stream, 2 * _LENGTH)
    head, body = int.from_bytes(lengths[:_LENGTH]), int.from_bytes(lengths[_LENGTH:])
    return json.loads(_exactly(stream, head)), _exactly(stream, body)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found


class _Kept:
    """Notes what a vault would keep; the gateway's own vault gets it."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def keep(self, token: str, entity: str, value: str) -> None:
        """One more."""
        self.kept.append((token, entity, value))


class BodyWorker:
    """Masks or reads one body after the other."""

    def __init__(self, setup: Mapping[str, Any]) -> None:
        documents = {name: MaskProfileSpec.model_validate(spec) for name, spec in setup["profiles"].items()}
        limits = Limits(**setup["limits"])
        self._engine = MaskingEngine(resolve(documents), key=bytes.fromhex(setup["key"]), limits=limits)
        self._vault = _Kept()
        self._reader = Reader()
        self._engine.load_models()
        self._engine.load()

    def answer(self, facts: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """A frame for a frame; without bytes where the body stays as it is."""
        if "condition" in facts:
            return self._reader.answer(facts, body), b""
        self._reader.forget()
        self._vault.kept.clear()
        try:
            masked = self._engine.mask_body(
                body,
                content_type=facts["type"],
                content_encoding=facts["encoding"],
                profiles=tuple(facts["profiles"]),
                pseudonyms=self._pseudonyms(facts["owner"]),
            )
        except Unmaskable as unmaskable:
            return {"unmaskable": unmaskable.reason}, b""
        same = masked.body is body
        told = {"counts": dict(masked.counts), "same": same, "encoding": masked.encoding, "kept": self._vault.kept}
        return told, b"" if same else masked.body

    def _pseudonyms(self, owner: Mapping[str, Any] | None) -> Pseudonyms | None:
        if owner is None:
            return None
        vault = self._vault if owner["vault"] else None
        return Pseudonyms(owner=owner["name"], key=bytes.fromhex(owner["key"]), vault=vault)


def main() -> None:
    """Serve until the input ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not print into a frame
    try:
        setup, _ = read_frame(requests)
        worker = BodyWorker(setup)
        write_frame(answers, {"ready": True})
        while True:
            facts, body = read_frame(requests)
            write_frame(answers, *worker.answer(facts, body))
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
