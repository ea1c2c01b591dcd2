"""What the journal says about something: lines that fit a question, from the newest to the oldest or in order.

Reads the journal itself, every file that there is; whether it is whole is the business of ``recordings.verify``. Memory
is that of one line and half a megabyte.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recordings.journal import JOURNAL, WRITER, journal_files
from recordings.lines import canonical
from recordings.listing import Filter, Row, row_of
from recordings.regular import lines_of, open_regular
from recordings.scanning import backwards

ANY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Things that calls are about; an empty part, or ``*``, is any."""

    type: str = ""
    """``pods``, ``deployments.apps``, ``customers``."""
    name: str = ""
    namespace: str = ""

    @classmethod
    def parse(cls, text: str) -> "Resource":
        """``TYPE``, ``TYPE/NAME`` or ``NAMESPACE/TYPE/NAME``. Raises ValueError."""
        parts = ["" if part == ANY else part for part in text.split("/")]
        match parts:
            case [kind]:
                return cls(type=kind)
            case [kind, name]:
                return cls(type=kind, name=name)
            case [namespace, kind, name]:
                return cls(type=kind, name=name, namespace=namespace)
        raise ValueError(f"{text}: a resource is TYPE, TYPE/NAME or NAMESPACE/TYPE/NAME")

    def is_in(self, row: Row) -> bool:
        """Is a line about one of them?"""
        wanted = (("type", self.type), ("name", self.name), ("namespace", self.namespace))
        return any(all(not want or each.get(key, "") == want for key, want in wanted) for each in resources_of(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which lines are asked for; empty: all."""

    only: Filter = field(default_factory=Filter)
    code: str = ""
    approval: str = ""
    resource: Resource | None = None
    text: str = ""
    """A part of the operation, path, query, message, code or rule; capital letters count as small ones."""

    def takes(self, row: Row) -> bool:
        """Is a line asked for?"""
        if (self.code and self.code != row.code) or (self.approval and self.approval != row.approval):
            return False
        if self.resource is not None and not self.resource.is_in(row):
            return False
        if self.text and self.text.casefold() not in _words(row).casefold():
            return False
        return self.only.takes(row)

    def traces(self) -> tuple[bytes, ...]:
        """What stands in every line that is asked for: most others need not be read."""
        of = self.resource or Resource()
        quoted = [text for text in (self.code, self.approval, of.type, of.name, of.namespace) if text]
        kinds = self.only.kinds
        kind = tuple(b'"kind":"%b"' % each.encode() for each in kinds) if len(kinds) == 1 else ()
        return (*self.only.traces(), *(canonical(text).encode("ascii") for text in quoted), *kind)


def resources_of(row: Row) -> list[dict[str, Any]]:
    """What a call is about: ``type``, ``name``, ``namespace`` where it has them."""
    found = row.raw["event"].get("resources", ())
    return [each for each in found if isinstance(each, dict)]


def newest(data_dir: Path, query: Query) -> Iterator[tuple[Row, bytes]]:
    """Lines that are asked for, the newest first, each as it stands in the file (without its line feed)."""
    for path in reversed(_files(data_dir)):
        with open_regular(path) as file:
            lines = (raw for _, raw in backwards(file, file.seek(0, 2)))
            yield from _taken(lines, query)


def in_order(data_dir: Path, query: Query) -> Iterator[tuple[Row, bytes]]:
    """The same lines, the oldest first."""
    for path in _files(data_dir):
        with open_regular(path) as file:
            yield from _taken((raw[:-1] for raw in lines_of(file) if raw.endswith(b"\n")), query)


def _taken(lines: Iterator[bytes], query: Query) -> Iterator[tuple[Row, bytes]]:
    traces = query.traces()
    for raw in lines:
        row = row_of(raw) if all(trace in raw for trace in traces) else None
        if row is not None and query.takes(row):
            yield row, raw


def _files(data_dir: Path) -> list[Path]:
    """Of the gateway's journal: what lies beside it, ``verify`` denies."""
    return journal_files(data_dir / JOURNAL / WRITER)


def _words(row: Row) -> str:
    return "\n".join((row.operation, row.path, row.message, row.code, row.rule))
