"""Law: a large body is masked elsewhere, with the same outcome; a process that ends costs one body, which is withheld."""

import gzip
import io
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold import body_workers
from gatehold.body_worker import read_frame, write_frame
from gatehold.body_workers import LARGE, SpreadMasking
from masking.encodings import Limits
from masking.engine import Given, Masked, MaskingEngine
from masking.errors import Unmaskable
from masking.profiles import MaskProfileSpec, resolve
from masking.pseudonyms import Pseudonyms

STAFF = {
    "extends": ["pii"],
    "entities": {"EMPLOYEE_ID": {"regex": r"\bE-[0-9]{6}\b", "score": 0.8, "operator": "pseudonym"}},
}
JSON = {"content_type": "application/json", "profiles": ("staff",)}


@pytest.fixture(scope="module")
def spread() -> Iterator[SpreadMasking]:
    documents = {"staff": MaskProfileSpec.model_validate(STAFF)}
    made = SpreadMasking(
        resolve(documents), documents=documents, key=b"k" * 32, limits=Limits(body=1 << 20), processes=1
    )
    wait_ready(made)
    yield made
    made.workers.stop()


def wait_ready(spread: SpreadMasking) -> None:
    """Until there is a process."""
    until = time.monotonic() + 60
    while not spread.workers.ready:
        assert time.monotonic() < until
        time.sleep(0.05)


def large(count: int = 600) -> bytes:
    """A body that is masked elsewhere."""
    body = json.dumps([{"mail": f"a{at}@example.com", "id": f"E-{at:06d}", "pad": "x" * 40} for at in range(count)])
    assert len(body) > LARGE
    return body.encode()


def here(spread: SpreadMasking, body: bytes, pseudonyms: Pseudonyms | None = None) -> Masked:
    """What the same engine makes of it in this process."""
    return MaskingEngine.masked(spread, Given(body=body, **JSON, pseudonyms=pseudonyms))  # type: ignore[arg-type]


class Noted:
    """A vault."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def keep(self, token: str, entity: str, value: str) -> None:
        self.kept.append((token, entity, value))


@pytest.mark.parametrize("owner", [None, "session-1", "session-2"])
def test_the_outcome_is_the_same(spread: SpreadMasking, owner: str | None) -> None:
    """Bodies, counts, and whose tokens they get."""
    own = Pseudonyms(owner=owner, key=owner.encode() * 4) if owner else None
    there = spread.mask_body(large(), **JSON, pseudonyms=own)  # type: ignore[arg-type]
    assert there == here(spread, large(), own)
    assert there.counts == {"EMAIL_ADDRESS": 600, "EMPLOYEE_ID": 600}


def test_the_vault_is_the_gateways(spread: SpreadMasking) -> None:
    """What the process replaced so that it can be put back is kept here."""
    vault = Noted()
    own = Pseudonyms(owner="with-a-vault", key=b"v" * 32, vault=vault)
    spread.mask_body(large(), **JSON, pseudonyms=own)  # type: ignore[arg-type]
    far, vault.kept = vault.kept, []
    here(spread, large(), own)
    assert far == [tuple(each) for each in vault.kept]


def test_what_needs_no_mask_is_the_same_object(spread: SpreadMasking) -> None:
    """It does not come back over the pipe."""
    body = json.dumps(["x" * 100] * 1000).encode()
    assert spread.mask_body(body, **JSON).body is body  # type: ignore[arg-type]


def test_the_reason_of_a_refusal_comes_back(spread: SpreadMasking) -> None:
    """And the process goes on."""
    with pytest.raises(Unmaskable) as caught:
        spread.mask_body(large()[:-1], **JSON)  # type: ignore[arg-type]
    with pytest.raises(Unmaskable) as same:
        here(spread, large()[:-1])
    assert caught.value.reason == same.value.reason
    assert spread.mask_body(large(), **JSON).counts  # type: ignore[arg-type]


def test_small_bodies_stay_here(spread: SpreadMasking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way there and back would take longer."""
    monkeypatch.setattr(spread.workers, "exchange", None)
    assert spread.mask_body(b'"a@example.com"', **JSON).body == b'"<EMAIL_ADDRESS>"'  # type: ignore[arg-type]


def test_what_becomes_large_is_masked_elsewhere(spread: SpreadMasking, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes it has while it is compressed."""
    coded = gzip.compress(json.dumps(["a@example.com"] * 9000).encode())
    assert len(coded) < LARGE
    sizes: list[int] = []
    exchange = spread.workers.exchange

    def noted(facts: dict[str, object], body: bytes) -> tuple[dict[str, object], bytes]:
        sizes.append(len(body))
        return exchange(facts, body)

    monkeypatch.setattr(spread.workers, "exchange", noted)
    masked = spread.mask_body(coded, content_encoding="gzip", **JSON)  # type: ignore[arg-type]
    assert sizes == [len(coded)]
    assert masked.body == json.dumps(["<EMAIL_ADDRESS>"] * 9000).encode()
    with pytest.raises(Unmaskable):
        spread.mask_body(b"no gzip", content_encoding="gzip", **JSON)  # type: ignore[arg-type]


def test_a_process_that_ended_while_it_was_idle_costs_nothing() -> None:
    """Another one takes its place before it is asked."""
    documents = {"staff": MaskProfileSpec.model_validate(STAFF)}
    spread = SpreadMasking(
        resolve(documents), documents=documents, key=b"k" * 32, limits=Limits(body=1 << 20), processes=1
    )
    wait_ready(spread)
    [process] = spread.workers._processes
    process._process.kill()
    process._process.wait()
    assert spread.mask_body(large(), **JSON).counts  # type: ignore[arg-type]
    spread.workers.stop()


def test_a_process_that_does_not_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without memory for a moment is not one without processes for ever."""
    monkeypatch.setattr(body_workers, "_AGAIN", 0.01)
    start, failed = body_workers._Process, threading.Event()

    def second(setup: Mapping[str, Any]) -> body_workers._Process:
        if failed.is_set():
            return start(setup)
        failed.set()
        raise OSError

    monkeypatch.setattr(body_workers, "_Process", second)
    documents = {"staff": MaskProfileSpec.model_validate(STAFF)}
    spread = SpreadMasking(
        resolve(documents), documents=documents, key=b"k" * 32, limits=Limits(body=1 << 20), processes=1
    )
    wait_ready(spread)
    assert failed.is_set()
    spread.workers.stop()


def test_without_processes_they_all_stay_here() -> None:
    """Nobody waits for one that never comes."""
    documents = {"staff": MaskProfileSpec.model_validate(STAFF)}
    alone = SpreadMasking(
        resolve(documents), documents=documents, key=b"k" * 32, limits=Limits(body=1 << 20), processes=0
    )
    assert alone.mask_body(large(), **JSON).counts  # type: ignore[arg-type]
    alone.workers.stop()


def test_a_process_that_ends_or_hangs_costs_one_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body is withheld, and another process takes the place."""
    documents = {"staff": MaskProfileSpec.model_validate(STAFF)}
    spread = SpreadMasking(
        resolve(documents), documents=documents, key=b"k" * 32, limits=Limits(body=1 << 20), processes=1
    )
    wait_ready(spread)
    monkeypatch.setattr(body_workers, "SECONDS", 0.0)  # it is ended at once
    with pytest.raises(Unmaskable):
        spread.mask_body(large(), **JSON)  # type: ignore[arg-type]
    monkeypatch.undo()
    wait_ready(spread)
    assert spread.mask_body(large(), **JSON).counts  # type: ignore[arg-type]
    spread.workers.stop()


def test_a_process_is_told_no_secret_of_the_gateways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds what an interpreter needs, and where to find ours."""
    seen: list[dict[str, str]] = []

    def refuse(*_arguments: object, env: dict[str, str], **_more: object) -> None:
        seen.append(env)
        raise OSError

    monkeypatch.setenv("CRM_TOKEN", "planted")
    monkeypatch.setattr("recordings.interpreter.subprocess.Popen", refuse)
    with pytest.raises(OSError):  # noqa: PT011 - whichever
        body_workers._Process({})
    assert "planted" not in repr(seen)
    assert set(seen[0]) <= {*os.environ, "PYTHONPATH"}


@given(st.dictionaries(st.text(), st.text()), st.binary(max_size=200), st.integers(0, 400))
def test_frames(facts: dict[str, str], body: bytes, cut: int) -> None:
    """Read as they were written; of a torn one nothing."""
    stream = io.BytesIO()
    write_frame(stream, facts, body)
    raw = stream.getvalue()
    assert read_frame(io.BytesIO(raw)) == (facts, body)
    if cut < len(raw):
        with pytest.raises(EOFError):
            read_frame(io.BytesIO(raw[:cut]))


class Started:
    """A process that hides something in every body."""

    is_alive = True

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self.setup = setup

    def exchange(self, facts: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        return {"counts": {"SEEN": 1}, "same": True, "encoding": "", "kept": []}, b""

    def stop(self) -> None:
        """Nothing to end."""


def test_the_first_large_body_waits_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not masked here, where it would hold up everybody, for want of one that has started."""
    monkeypatch.setattr(body_workers, "_Process", Started)
    spread = SpreadMasking({}, documents={}, key=b"k" * 32, limits=Limits(), processes=1)
    found = spread.mask_body(large(), content_type="application/json", profiles=("pii",))
    assert found.counts == {"SEEN": 1}
    spread.workers.stop()


def test_a_process_that_does_not_take_its_setup_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left behind."""
    stopped: list[body_workers._Process] = []
    stop = body_workers._Process.stop

    def noted(self: body_workers._Process) -> None:
        stopped.append(self)
        stop(self)

    def ends(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr(body_workers._Process, "exchange", ends)
    monkeypatch.setattr(body_workers._Process, "stop", noted)
    with pytest.raises(EOFError):
        body_workers._Process({})
    assert not stopped[0].is_alive
