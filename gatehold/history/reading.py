"""Recorded calls, read from flow files in the order in which they were made.

Two passes: the first notes where the calls are and when they were made, the second reads one after the other. So no
more than one call is in memory, however many there are. Whether the files are as they were written is the business of
``gatehold audit verify``; what cannot be read is counted.
"""

import mmap
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from gatehold.history.netstrings import Element, TornError, element, picked, value_of
from policy.errors import GateholdError
from policy.history.inputs import Input, Recorded, RecordedCall
from policy.model import Agent, SessionId, TargetName, WireRequest
from recordings.flowfiles import RECORDINGS

SUFFIX: Final = ".flow"
_OPEN: Final = 64
_WORDS: Final = frozenset({b"metadata", b"request", b"response", b"timestamp_created"})
_TIMED: Final = frozenset({b"timestamp_created"})
_REQUEST: Final = frozenset({b"method", b"path", b"headers", b"content"})


class NoRecordings(GateholdError):
    """There are no flow files."""


class Place(NamedTuple):
    """Where a flow begins."""

    time: float
    """When it was made, Unix seconds."""
    file: int
    """Number of the file."""
    offset: int


@dataclass(slots=True, kw_only=True)
class History:
    """The calls in some flow files."""

    files: tuple[Path, ...]
    unreadable: list[Path] = field(default_factory=list)
    """Files with a part that could not be read; of those that are being written the end may be."""
    foreign: int = 0
    """Flows that are no calls of a gateway, or of nobody."""
    left: str = ""
    """Files that are elsewhere and were not read, in words."""
    places: list[Place] = field(default_factory=list, repr=False)
    """In the order of time."""

    def calls(self) -> Iterator[RecordedCall]:
        """The calls, the oldest first."""
        seen, opened = set[str](), _Files(self.files)
        for place in self.places:
            call = _call(opened.record(place))
            if call is None:
                self.foreign += 1
            elif isinstance(call, RecordedCall) and call.decision not in seen:
                seen.add(call.decision)
                yield call


def read(*paths: Path, since: float | None = None) -> History:
    """The calls below paths: each a flow file, a directory of them, or a data directory; ``since`` in Unix seconds.

    Raises NoRecordings and OSError.
    """
    history = History(files=tuple(each for path in paths for each in _flow_files(path)))
    if not history.files:
        raise NoRecordings(f"there are no flow files in {paths[0]}")
    for number, file in enumerate(history.files):
        places, whole = _places(file, number)
        history.places += [place for place in places if since is None or place.time >= since]
        if not whole:
            history.unreadable.append(file)
    history.places.sort()
    return history


def call_of(record: bytes) -> RecordedCall | None:
    """The call of one record; None for a further part of one, and for what is none."""
    found = _call(record)
    return found if isinstance(found, RecordedCall) else None


def _flow_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    base = path / RECORDINGS if (path / RECORDINGS).is_dir() else path
    return sorted(each for each in base.rglob(f"*{SUFFIX}") if each.is_file())


def _places(path: Path, number: int) -> tuple[list[Place], bool]:
    """Where the calls of one file are, and whether all of it could be read; later parts of streams are none."""
    found, data = list[Place](), _mapped(path)
    at, size = 0, len(data)
    try:
        while at < size:
            record = element(data, at, size)
            created = picked(data, record, _TIMED)[b"timestamp_created"]
            found.append(Place(float(value_of(data, created)), number, at))
            at = record[1] + 1
    except (TornError, KeyError, TypeError):
        return found, False
    return found, True


def _own(data: bytes, words: dict[bytes, Element]) -> dict[str, Any] | None:
    found = picked(data, words[b"metadata"], {b"gatehold"}).get(b"gatehold")
    own = None if found is None else value_of(data, found)
    return own if isinstance(own, dict) else None


def _call(data: bytes) -> RecordedCall | Literal["part"] | None:
    """The call of one flow; a further part of one; None where it is no call of an agent to a target."""
    try:
        words = picked(data, element(data, 0, len(data)), _WORDS)
        own = _own(data, words)
        if own is None or not own.get("agent") or not own.get("target") or not own.get("decision"):
            return None
        if own.get("part", 1) > 1:
            return "part"
        request = picked(data, words[b"request"], _REQUEST)
        return RecordedCall(
            decision=own["decision"],
            agent=_agent(own, noted := _input(own)),
            target=TargetName(own["target"]),
            request=_wire(data, request, noted),
            input=noted,
            recorded=Recorded(
                verdict=own["verdict"],
                code=own["code"],
                rule=own.get("rule") or "",
                revision=own.get("revision") or "",
            ),
            answered=_answered(data, words),
            time=float(value_of(data, words[b"timestamp_created"])),
        )
    except (TornError, KeyError, TypeError, UnicodeDecodeError):
        return None


def _input(own: dict[str, Any]) -> Input | None:
    try:
        return Input.from_text(own["input"])
    except (KeyError, ValueError):
        return None


def _agent(own: dict[str, Any], noted: Input | None) -> Agent:
    return Agent(
        issuer=own.get("issuer") or "",
        subject=own["agent"],
        groups=noted.groups if noted else (),
        claims=noted.claims if noted else {},
        session=SessionId(own.get("session") or ""),
        purpose=noted.purpose if noted else "",
    )


def _wire(data: bytes, request: dict[bytes, Element], noted: Input | None) -> WireRequest:
    fields = [(_text(name), _text(value)) for name, value in value_of(data, request[b"headers"])]
    if noted is not None and noted.encoding:
        fields.append(("Content-Encoding", noted.encoding))
    gone = noted is not None and noted.body == "gone"
    return WireRequest(
        method=_text(value_of(data, request[b"method"])),
        path=_text(value_of(data, request[b"path"])),
        headers=tuple(fields),
        body=None if gone else value_of(data, request[b"content"]) or b"",
    )


def _answered(data: bytes, words: dict[bytes, Element]) -> int:
    answer = words.get(b"response")
    if answer is None or answer[2] != ord("}"):
        return 0
    content = picked(data, answer, {b"content"}).get(b"content")
    return 0 if content is None else content[1] - content[0]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _mapped(path: Path) -> bytes:
    """The bytes of a file, read as they are asked for."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # type: ignore[return-value]  # find, slices, length


class _Files:
    """Records of many files, a bounded number of which is open."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._files = files
        self._opened: OrderedDict[int, bytes] = OrderedDict()

    def record(self, place: Place) -> bytes:
        """The bytes of one record."""
        data = self._opened.get(place.file)
        if data is None:
            data = self._opened[place.file] = _mapped(self._files[place.file])
            if len(self._opened) > _OPEN:
                self._opened.popitem(last=False)
        self._opened.move_to_end(place.file)
        return data[place.offset : element(data, place.offset, len(data))[1] + 1]
