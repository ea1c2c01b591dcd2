"""Calls and records for the tests of this package."""

import errno
import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, Family, RuleName, SessionId, TargetName, Verdict
from recordings.events import Call, intent, outcome
from recordings.writer import Record

with warnings.catch_warnings():  # mitmproxy's filter language uses names that pyparsing has deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.io  # noqa: F401

_CALL = Call(
    id=DecisionId("d-1"),
    agent=Agent(issuer="corp", subject="a1", groups=("planners",), session=SessionId("s-1")),
    target=TargetName("main"),
    family=Family.KUBERNETES,
    scheme="https",
    host="kubernetes.default.svc",
    port=443,
    method="GET",
    path="/api/v1/namespaces/dev-1/pods?limit=5",
    operation="list pods",
    verb="list",
    client=("10.0.0.9", 40000),
    time=1_800_000_000.0,
    judged=Decision(
        verdict=Verdict.ALLOW,
        code=Code.ALLOWED,
        rule=RuleName("planners-read-dev-pods"),
        rules=(RuleName("planners-read-dev-pods"),),
        revision="r1",
    ),
)


@pytest.fixture
def call() -> Call:
    """An allowed call of agent a1."""
    return _CALL


@pytest.fixture(scope="session")
def make_call() -> Callable[[], Call]:
    """Makes an allowed call of agent a1."""
    return lambda: _CALL


@pytest.fixture(scope="session", name="make_record")
def _make_record() -> Callable[..., Record]:
    """Makes records: ``record(3)`` is the third call, ``record(3, session="x", size=10)`` has a flow of its own."""

    def make(number: int, *, session: str = "s-1", size: int = 40, flow: bool = True, kind: str = "outcome") -> Record:
        agent = Agent(issuer="corp", subject="a1", session=SessionId(session))
        this = replace(_CALL, id=DecisionId(f"d-{number}"), agent=agent)
        event = (
            intent(this, time=this.time)
            if kind == "intent"
            else outcome(this, status=200, time=this.time + 1, masked={"EMAIL_ADDRESS": 2})
        )
        body = f"{number:0{size}d}".encode()
        return Record(entries=(event.entry(),), flow=b"%d:%b}" % (len(body), body) if flow else None, session=session)

    return make


@pytest.fixture
def record(make_record: Callable[..., Record]) -> Callable[..., Record]:
    """Makes records, as ``make_record``."""
    return make_record


class Clock:
    """Time that moves when it is told to."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at 2027-01-15 08:00 UTC."""
    return Clock()


def ocsf_check() -> Callable[[Mapping[str, Any]], None]:
    """Holds an event against the OCSF classes: raises where it breaks them."""
    schema = json.loads(Path(__file__).with_name("ocsf.schema.json").read_text())
    validator = Draft202012Validator(schema)

    def check(event: Mapping[str, Any]) -> None:
        data = json.loads(json.dumps(event))
        validator.validate(data)
        assert data["type_uid"] == data["class_uid"] * 100 + data["activity_id"]
        assert data["category_uid"] == data["class_uid"] // 1000

    return check


@pytest.fixture(scope="session")
def ocsf() -> Callable[[Mapping[str, Any]], None]:
    """The check of an event."""
    return ocsf_check()


class Disk:
    """Makes writes of the recorder fail: after so many more bytes there is no room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        """Bytes that are left; None: plenty."""
        self.syncs = 0
        self.sync_fails = False
        self._write, self._sync = os.write, os.fdatasync
        monkeypatch.setattr("recordings.files.os.write", self.write)
        monkeypatch.setattr("recordings.files.os.fdatasync", self.sync)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write what there is room for."""
        if self.room is None:
            return self._write(descriptor, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(descriptor, bytes(data)[: self.room])
        self.room -= written
        return written

    def sync(self, descriptor: int) -> None:
        """Count, and fail where told to."""
        if self.sync_fails:
            raise OSError(errno.EIO, "Input/output error")
        self.syncs += 1
        self._sync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that can be filled."""
    return Disk(monkeypatch)
