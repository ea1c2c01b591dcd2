"""From a directory to a ``Configuration``, or to everything that is wrong with it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from gatehold.config.documents import (
    API_VERSION,
    GatewayDocument,
    MaskProfileDocument,
    PolicyTestDocument,
    TargetDocument,
)
from gatehold.config.entries import Entries, Entry, entry_of
from gatehold.config.files import misnamed, read_directory, revision
from gatehold.config.judging import judge, kind_of
from gatehold.config.model import Configuration, Gateway, Target
from gatehold.config.policies import compile_policies
from gatehold.config.references import check
from gatehold.config.secrecy import misplaced_references
from gatehold.config.source import Document, read_documents
from masking.profiles import MaskProfileSpec
from policy.errors import ConfigurationError
from policy.model import Problem, TargetName

_NAMED_FILES = {
    "Target": (
        ("spec", "credential", "kubernetes", "kubeconfig"),
        ("spec", "credential", "kubernetes", "tokenFile"),
        ("spec", "openapi"),
        ("spec", "tls", "ca"),
    ),
    "MaskProfile": (("spec", "ner", "configuration"),),
}
"""Where a document names files of other kinds, which may lie in the same directory and end in ``.yaml``."""


def load(directory: Path) -> Configuration:
    """The configuration in ``directory``. Raises ``ConfigurationError`` with every problem, by file and line.

    Credentials are not read; ``SecretRef.resolve`` does that when they are used.
    """
    contents = read_directory(directory)
    documents, problems = _read_all(directory, contents)
    files = {document.file for document in documents} | {problem.file for problem in problems}
    entries = Entries(_judged(documents, directory, problems))
    problems += [*_one_gateway(entries, directory), *check(entries), *_not_read(directory)]
    compiled = compile_policies(entries, problems)
    if problems or compiled is None:
        raise _unusable(problems)
    return Configuration(
        directory=directory.absolute(),
        gateway=next(_gateway(entry, document) for entry, document in entries.of(GatewayDocument)),
        targets={entry.name: _target(entry, document) for entry, document in entries.of(TargetDocument)},
        policies=compiled.policies,
        profiles={entry.name: document.spec for entry, document in entries.of(MaskProfileDocument)},
        tests=tuple(document for _, document in entries.of(PolicyTestDocument)),
        revision=revision({name: contents[name] for name in contents if str(directory / name) in files}),
        engine=compiled.engine,
        rule_places=compiled.places,
        files={(entry.kind, entry.name): Path(entry.document.file).name for entry in entries.all},
    )


def load_profiles(directory: Path) -> tuple[Mapping[str, MaskProfileSpec], Path | None]:
    """The mask profiles in ``directory``, and the data directory of its Gateway, if there is one; none is needed.

    Rules are not compiled. Raises ``ConfigurationError`` with every other problem, by file and line.
    """
    documents, problems = _read_all(directory, read_directory(directory))
    entries = Entries(_judged(documents, directory, problems))
    problems += [*check(entries), *_not_read(directory)]
    if problems:
        raise _unusable(problems)
    gateway = next(entries.of(GatewayDocument), None)
    profiles = {entry.name: document.spec for entry, document in entries.of(MaskProfileDocument)}
    return profiles, gateway[1].spec.data_dir if gateway else None


def _unusable(problems: list[Problem]) -> ConfigurationError:
    return ConfigurationError(sorted(set(problems), key=lambda each: (each.file, each.line, each.message)))


def _read_all(directory: Path, contents: Mapping[str, bytes]) -> tuple[list[Document], list[Problem]]:
    """The documents of all files but those that are named by a document as something else."""
    read = {name: read_documents(str(directory / name), content) for name, content in contents.items()}
    named = {path for documents, _ in read.values() for document in documents for path in _named_files(document)}
    ours = [
        found
        for name, found in read.items()
        if os.path.normpath(name) not in named or API_VERSION.encode() in contents[name]
    ]
    documents = [document for found, _ in ours for document in found]
    return documents, [problem for _, found in ours for problem in found]


def _named_files(document: Document) -> Iterator[str]:
    """Files that a document names, relative to the directory."""
    for place in _NAMED_FILES.get(kind_of(document) or "", ()):
        value = document.value
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield os.path.normpath(value)


def _judged(documents: list[Document], base: Path, problems: list[Problem]) -> Iterator[Entry]:
    for document in documents:
        if not document.sound:
            yield entry_of(document, None)
            continue
        judgement = judge(document, base)
        problems += [*judgement.problems, *misplaced_references(document)]
        yield entry_of(judgement.document, judgement.value)


def _one_gateway(entries: Entries, directory: Path) -> Iterator[Problem]:
    gateways = entries.of_kind("Gateway")
    if not gateways:
        yield Problem(file=str(directory), line=1, message="there is no document of kind Gateway in *.yaml")
    for further in gateways[1:]:
        first = gateways[0].document
        where = f"{first.file}:{first.line(('kind',))}"
        yield further.document.problem(("kind",), f"there is one Gateway in a configuration, and it is in {where}")


def _not_read(directory: Path) -> Iterator[Problem]:
    """A file that nobody reads may be a wall that nobody misses."""
    for path in misnamed(directory, API_VERSION.encode()):
        yield Problem(file=str(path), line=1, message="only files that end in .yaml are read; rename it")


def _gateway(entry: Entry, document: GatewayDocument) -> Gateway:
    where = entry.document
    return Gateway(name=entry.name, spec=document.spec, file=where.file, line=where.line(("spec", "identity")))


def _target(entry: Entry, document: TargetDocument) -> Target:
    where = entry.document
    line = where.line(("spec", "credential") if document.spec.credential else ("metadata", "name"))
    return Target(name=TargetName(entry.name), spec=document.spec, file=where.file, line=line)
