"""The documents of a configuration with what they turned out to be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from gatehold.config.judging import kind_of, meant
from gatehold.config.source import Document, Place
from policy.model import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document; ``value`` is None where something is wrong with it."""

    document: Document
    kind: str
    name: str
    value: BaseModel | None


class Entries:
    """All documents, in the order of files and lines."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.all = tuple(entries)

    def of[D: BaseModel](self, kind: type[D]) -> Iterator[tuple[Entry, D]]:
        """Every usable document of a kind."""
        for entry in self.all:
            if isinstance(entry.value, kind):
                yield entry, entry.value

    def of_kind(self, kind: str) -> list[Entry]:
        """Every document of a kind, usable or not."""
        return [entry for entry in self.all if entry.kind == kind]

    def names(self, kind: str) -> set[str]:
        """The names that are declared, by usable documents or not."""
        return {entry.name for entry in self.of_kind(kind)}


def entry_of(document: Document, value: BaseModel | None) -> Entry:
    """The entry of a document, with kind and name as far as they can be read."""
    metadata = document.value.get("metadata") if isinstance(document.value, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    kind = kind_of(document) or ""
    return Entry(document=document, kind=kind, name=name if isinstance(name, str) else "", value=value)


def unknown(document: Document, place: Place, what: str, name: str, known: Iterable[str]) -> Iterator[Problem]:
    """A problem, with what was probably meant, where ``name`` is not known."""
    if name not in set(known):
        yield document.problem(place, f"there is no {what} {name!r}{meant(name, known)}")


def path_text(place: Place) -> str:
    """``spec.listen[0].port``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")
