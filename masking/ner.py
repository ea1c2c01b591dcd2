"""Which values a language model is asked about, and what it says of them.

Pure: a model comes as something that can be asked (``masking.ner_models`` loads the real ones).
"""

import re
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import regex

from masking.detection import Hit, distinct
from masking.errors import Unmaskable
from masking.memory import remembered
from masking.profiles.ner_spec import NerSpec
from masking.profiles.paths import PathRules, Step
from masking.profiles.spec import PathSpec

type Asked = frozenset[int]
"""Numbers of the ``ner`` parts that a value's place names."""
NOBODY: Asked = frozenset()

WINDOW = 8192
"""Characters that a model reads at once; a longer text is cut after sentences, and the cuts overlap."""
OVERLAP = 256
LONGEST = 1 << 18
"""Characters of a text that a model is asked about; a longer one is unmaskable."""
_KEY_SECONDS = 1.0
_CACHED, _CACHED_LENGTH = 4096, 2048
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n|\s")


class Model(Protocol):
    """A loaded language model. Safe to use from several threads."""

    def read(self, text: str) -> tuple[Hit, ...]:
        """Everything that it sees in a text of at most ``WINDOW`` characters."""


class Reader:
    """A model with a memory, for texts of any length."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._remembered = lru_cache(_CACHED)(self._read)
        self._lock = threading.Lock()
        self._last: tuple[str, tuple[Hit, ...]] = ("", ())

    def read(self, text: str) -> tuple[Hit, ...]:
        """Everything seen in ``text``; raises ``Unmaskable`` where it is longer than ``LONGEST``.

        A text without a letter or digit, as between two hits, names nobody.
        """
        if not any(map(str.isalnum, text)):
            return ()
        if len(text) <= _CACHED_LENGTH:
            return self._remembered(text)
        with self._lock:
            known, hits = self._last
        if known != text:
            hits = self._read(text)
            with self._lock:
                self._last = (text, hits)
        return hits

    def _read(self, text: str) -> tuple[Hit, ...]:
        if len(text) > LONGEST:
            raise Unmaskable("a text is too long for the language model")
        found = (
            Hit(hit.entity, hit.start + start, hit.end + start, hit.score)
            for start, end in windows(text)
            for hit in self._model.read(text[start:end])
        )
        return tuple(distinct(found))


def windows(text: str, size: int = WINDOW, overlap: int = OVERLAP) -> Iterator[tuple[int, int]]:
    """Spans of at most ``size`` characters that cover ``text``, cut after a sentence where there is one.

    Two neighbours share at least ``overlap`` characters less a word, so that a name at a cut is whole in one of them.
    """
    start = 0
    while len(text) - start > size:
        end = _cut(text, start + size // 2, start + size)
        yield start, end
        start = _cut(text, max(start + 1, end - overlap - overlap // 2), end - overlap)
    yield start, len(text)


def _cut(text: str, low: int, high: int) -> int:
    """The best place to cut between two places: after a sentence, else after a word, else at the second."""
    ends = {match[0].isspace() and match[0] != "\n": match.end() for match in _SENTENCE_END.finditer(text, low, high)}
    return ends.get(False) or ends.get(True) or high


class NerDetector:
    """What a model says of one entity; a ``Detector``."""

    context: tuple[str, ...] = ()
    screen: str | None = None
    screens_all = False

    def __init__(self, entity: str, reader: Reader) -> None:
        self.entity = entity
        self._reader = reader

    def reach(self, *, lifted: bool) -> float:  # noqa: ARG002  (words next to a name make it no surer)
        """The highest score that a hit can have."""
        return 1.0

    def find(self, text: str, *, lifted: bool, threshold: float) -> list[Hit]:  # noqa: ARG002
        """All hits that reach ``threshold``, in order."""
        return [hit for hit in self._reader.read(text) if hit.entity == self.entity and hit.score >= threshold]


class NerRules:
    """Which values the ``ner`` parts of some profiles name."""

    def __init__(self, specs: Sequence[NerSpec]) -> None:
        self.specs = tuple(specs)
        self._keys = [[regex.compile(key) for key in spec.keys] for spec in specs]
        self._paths = [PathRules(PathSpec(path=path) for path in spec.paths) for spec in specs]
        self.named = remembered(self._named)

    def __bool__(self) -> bool:
        return bool(self.specs)

    @property
    def placed(self) -> bool:
        """Whether values are named by where they stand, which only JSON can tell."""
        return any(self._paths)

    def at(self, steps: Sequence[Step]) -> Asked:
        """Those that name the value that ``steps`` lead to."""
        return frozenset(number for number, rules in enumerate(self._paths) if rules.find(steps))

    def _named(self, name: str) -> Asked:
        """Those that name the values of members of this name."""
        # What holds a value in markup is called by several names, with spaces between them.
        names = {name, *name.split()}
        try:
            return frozenset(
                number
                for number, patterns in enumerate(self._keys)
                if any(pattern.search(each, timeout=_KEY_SECONDS) for pattern in patterns for each in names)
            )
        except TimeoutError:
            raise Unmaskable("a key of ner ran out of time") from None
