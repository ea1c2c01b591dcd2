"""Law: whatever fails while an answer is filtered or masked, not one byte of what is hidden reaches an agent or a file.

The seams are not listed: every function of the house that runs while an answer of a kind is worked off is made to fail,
one after the other, with every kind of exception. What is planted is new each time, so that nothing is remembered.
"""

import asyncio
import contextlib
import gzip
import json
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.proxy.layers.http import _hooks as hooks
from mitmproxy.test import taddons

from addons.dispatch import guard
from addons.record import Record, Recording
from addons.redact import Redact
from addons.response_streams import ResponseStream
from addons.runtime import Runtime
from masking.errors import Unmaskable
from policy.model import FilterObligation, Visible
from tests.addons.faults import Seam, failing, watched
from tests.addons.support import is_killed, make_flow, make_request, make_response, sealed

PLANTED = "planted.corp.example.com"
PLACES = ("masking/", "addons/redact.py", "addons/answer_", "addons/response_streams.py", "addons/visibility.py",
          "addons/offload.py", "gatehold/body_workers.py", "gatehold/pseudonyms.py")  # fmt: skip
TEXT = f"x@{PLANTED} and all the rest"
EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "RuntimeError": lambda: RuntimeError(TEXT),
    "ValueError": lambda: ValueError(TEXT),
    "KeyError": lambda: KeyError(TEXT),
    "TypeError": lambda: TypeError(TEXT),
    "IndexError": lambda: IndexError(TEXT),
    "AttributeError": lambda: AttributeError(TEXT),
    "TimeoutError": lambda: TimeoutError(TEXT),
    "MemoryError": lambda: MemoryError(TEXT),
    "RecursionError": lambda: RecursionError(TEXT),
    "OSError": lambda: OSError(5, TEXT),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", TEXT.encode(), 0, 1, TEXT),
    "Unmaskable": lambda: Unmaskable("a fault"),
    "CancelledError": lambda: asyncio.CancelledError(TEXT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of answer."""

    make: Callable[[str], tuple[bytes, dict[str, str]]]
    """Body and headers, with a name planted in them."""
    options: dict[str, Any]
    url: str = "https://crm.corp.example/masked/a"
    streamed: bool = False


def _json(name: str) -> bytes:
    return json.dumps({"mail": f"{name}@{PLANTED}", "deep": json.dumps([f"b{name}@{PLANTED}"]), "n": 1}).encode()


def _list(name: str) -> bytes:
    metadata = {"namespace": "a", "labels": {"app": "web"}, "annotations": {"owner": f"{name}@{PLANTED}"}}
    pods = [
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": each, **metadata}} for each in ("shown", f"h{name}")
    ]
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods}).encode()


PII: dict[str, Any] = {"profiles": ("pii",)}
FILTER = FilterObligation(visible=(Visible(names=("shown",)),))
KINDS: dict[str, Kind] = {
    "JSON": Kind(make=lambda name: (_json(name), {"Content-Type": "application/json"}), options=PII),
    "gzip": Kind(
        make=lambda name: (
            gzip.compress(_json(name)),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ),
        options=PII,
    ),
    "text": Kind(
        make=lambda name: (
            f"to {name}@{PLANTED}\n".encode(),
            {"Content-Type": "text/plain", "Content-Length": str(len(f"to {name}@{PLANTED}\n"))},
        ),
        options=PII,
    ),
    "lines": Kind(
        make=lambda name: (f"note {{\nto {name}@{PLANTED}\n}}\n".encode() * 2, {"Content-Type": "text/plain"}),
        options=PII,
        streamed=True,
    ),
    "form": Kind(
        make=lambda name: (
            f"a=1&to={name}%40{PLANTED}".encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        ),
        options=PII,
    ),
    "header": Kind(
        make=lambda name: (b"{}", {"Content-Type": "application/json", "X-Owner": f"{name}@{PLANTED}"}), options=PII
    ),
    "events": Kind(
        make=lambda name: (f"data: {_json(name).decode()}\n\n".encode(), {"Content-Type": "text/event-stream"}),
        options=PII,
        streamed=True,
    ),
    "filtered": Kind(
        make=lambda name: (_list(name), {"Content-Type": "application/json"}),
        options=PII | {"filter": FILTER, "target": "main"},
        url="https://kubernetes.corp.example:6443/api/v1/namespaces/a/pods",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an agent got."""

    got: bytes
    status: int
    """0: nothing, or an aborted stream."""


class Proxy:
    """Answers through the guarded dispatch, with the addons that have to do with answers."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        recording = Recording(runtime)
        self.addons = guard(taddons.context(loadcore=False).master.addons, runtime.ledger)
        governance = (Redact(runtime, recording), Record(runtime, recording))
        self.addons.add(*governance)
        self.addons.governance = governance

    async def answer(self, kind: Kind) -> Outcome:
        """One answer of a kind, as mitmproxy would carry it."""
        name = f"u{secrets.token_hex(4)}"
        flow = make_flow(make_request(kind.url))
        sealed(self.runtime, flow, **kind.options)
        body, headers = kind.make(name)
        flow.response = make_response(body, headers)
        upstream = flow.response.raw_content or b""
        await self.addons.handle_lifecycle(hooks.HttpResponseHeadersHook(flow))
        if is_killed(flow) or flow.response is None:
            return Outcome(got=b"", status=0)
        if flow.response.stream:
            return await self._streamed(flow, upstream)
        await self.addons.handle_lifecycle(hooks.HttpResponseHook(flow))
        if is_killed(flow):
            return Outcome(got=b"", status=0)
        return Outcome(got=repr(flow.response.get_state()).encode(), status=flow.response.status_code)

    async def _streamed(self, flow: http.HTTPFlow, upstream: bytes) -> Outcome:
        stream, got = flow.response.stream, b""  # type: ignore[union-attr]
        assert isinstance(stream, ResponseStream)
        for at in (*range(0, len(upstream), 40), None):
            chunk = b"" if at is None else upstream[at : at + 40]
            try:
                if stream.takes_long(chunk):
                    await stream.work_ahead(chunk)
                out = stream(chunk)
            except Exception:  # noqa: BLE001 - which aborts it (addons.wire)
                return Outcome(got=got, status=0)
            got += out if isinstance(out, bytes) else b"".join(out)
        return Outcome(got=repr(flow.response.headers.fields).encode() + got, status=200)  # type: ignore[union-attr]


@pytest.fixture
async def proxy(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    runtime.gateway.ruling.masking.load()
    monkeypatch.setattr(type(runtime.gateway.background), "did_alongside", True)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
    return Proxy(runtime)


async def seams_of(proxy: Proxy, kind: Kind) -> list[Seam]:
    """Every function that runs for a kind of answer."""
    await proxy.answer(kind)  # what runs once only is no seam of an answer
    with watched(PLACES) as found:
        outcome = await proxy.answer(kind)
    assert outcome.status == 200
    assert PLANTED.encode() not in outcome.got
    assert len(found) > 20
    return found


def left_behind(proxy: Proxy) -> bytes:
    """Everything on disk but keys."""
    data = proxy.runtime.gateway.configuration.data_dir
    return b"".join(each.read_bytes() for each in data.rglob("*") if each.is_file() and "keys" not in each.parts)


@pytest.mark.parametrize("name", KINDS)
async def test_no_fault_lets_anything_through(
    proxy: Proxy, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Withheld as unmaskable, aborted, or not answered at all; and the next answer is masked as ever."""
    caplog.set_level(logging.DEBUG)
    kind, fired = KINDS[name], 0
    seams = await seams_of(proxy, kind)
    for seam in seams:
        for called, make in EXCEPTIONS.items():
            outcome = Outcome(got=b"", status=0)
            with failing(seam, make), contextlib.suppress(asyncio.CancelledError):
                outcome = await proxy.answer(kind)
            where = f"{seam.name} raises {called}"
            assert PLANTED.encode() not in outcome.got, where
            if not seam.fired:
                continue
            fired += 1
            # A hook that fails as a whole is answered by the dispatch.
            assert outcome.status in (0, 502, *((503,) if seam.is_in("addons/redact.py") else ())), where
            if outcome.status == 502:
                assert b"unmaskable" in outcome.got, where
    assert fired > len(seams) * len(EXCEPTIONS) / 2
    assert (await proxy.answer(kind)).status == 200
    await proxy.runtime.gateway.recorder.stop()
    assert PLANTED.encode() not in left_behind(proxy)
    printed = capfd.readouterr()
    assert PLANTED not in caplog.text + printed.out + printed.err


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if not kind.streamed])
async def test_a_thread_that_cannot_be_had(proxy: Proxy, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool is shut down, or the system gives no more threads."""

    async def refuse(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError(f"can't start new thread for {TEXT}")

    monkeypatch.setattr("addons.offload.asyncio.to_thread", refuse)
    monkeypatch.setattr("addons.offload.ON_LOOP", -1)
    outcome = await proxy.answer(kind)
    assert outcome.status in (0, 502, 503)
    assert PLANTED.encode() not in outcome.got


@pytest.mark.parametrize("kind", KINDS.values())
async def test_detectors_that_cannot_be_loaded(proxy: Proxy, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, no answer."""
    monkeypatch.setattr(type(proxy.runtime.gateway.background), "did_alongside", False)
    engine = proxy.runtime.gateway.ruling.masking
    monkeypatch.setattr(engine, "_workers", {})

    def missing(*_arguments: Any) -> None:
        raise ImportError(TEXT)

    monkeypatch.setattr("masking.engine.Plan", missing)
    outcome = await proxy.answer(kind)
    assert outcome.status in (0, 502)
    assert PLANTED.encode() not in outcome.got


CONTRADICTIONS: list[tuple[str, dict[str, str]]] = [
    ("unknown charset", {"Content-Type": "application/json; charset=utf-7"}),
    ("two charsets", {"Content-Type": "text/plain; charset=utf-8; charset=latin-1"}),
    ("unknown type", {"Content-Type": "application/x-protobuf"}),
    ("malformed type", {"Content-Type": "text"}),
    ("unknown coding", {"Content-Type": "text/plain", "Content-Encoding": "compress"}),
    ("two codings", {"Content-Type": "text/plain", "Content-Encoding": "gzip, gzip"}),
    ("a coding that it has not", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ("a transfer coding", {"Content-Type": "text/plain", "Transfer-Encoding": "gzip, chunked"}),
    ("an image", {"Content-Type": "image/png"}),
    ("a part", {"Content-Type": "multipart/byteranges; boundary=a"}),
]


@pytest.mark.parametrize(("_why", "headers"), CONTRADICTIONS)
async def test_what_cannot_be_read_is_withheld(proxy: Proxy, _why: str, headers: dict[str, str]) -> None:
    """Whatever is in it."""
    kind = Kind(make=lambda name: (_json(name), headers), options=PII)
    outcome = await proxy.answer(kind)
    assert outcome.status == 502
    assert PLANTED.encode() not in outcome.got
