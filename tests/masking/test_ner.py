"""What a model is asked about, and texts longer than it reads at once."""

import string
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking import ner
from masking.detection import Hit
from masking.errors import Unmaskable
from masking.ner import NOBODY, NerDetector, NerRules, Reader, windows
from masking.profiles.ner_spec import NerSpec


class Capitals:
    """A model that takes every word in capitals for a person; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, text: str) -> tuple[Hit, ...]:
        """Everything that it sees."""
        self.asked.append(text)
        found, position = [], 0
        for word in text.split(" "):
            if word.isupper():
                found.append(Hit("PERSON", position, position + len(word), 0.85))
            position += len(word) + 1
        return tuple(found)


def rules(*specs: dict[str, object]) -> NerRules:
    """Rules of ``ner`` parts whose model is nowhere."""
    return NerRules([NerSpec.model_validate({"model": "m", **spec}) for spec in specs])


@given(st.text(st.sampled_from("ab .\n!"), max_size=400), st.integers(16, 64))
def test_windows_cover_a_text_and_overlap(text: str, size: int) -> None:
    """No character is left out, none is longer than asked for, and every cut lies inside another window."""
    overlap = size // 8
    spans = list(windows(text, size, overlap))
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(end - start <= size for start, end in spans)
    for (start, end), (following, _) in pairwise(spans):
        assert start < following <= end - overlap


@given(st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), max_size=300))
def test_a_long_text_has_the_hits_of_its_windows(words: Sequence[str]) -> None:
    """A word across a cut is found whole in one of them."""
    text = " ".join(words)
    whole = Capitals().read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ner, "windows", lambda text: windows(text, 64, 16))
        found = Reader(Capitals()).read(text)
    assert set(found) == set(whole)


def test_a_text_is_read_once() -> None:
    """Short ones are remembered; a long one as long as it is asked about for several entities."""
    model = Capitals()
    reader = Reader(model)
    for text in ("ADA called", "ADA called " * 300):
        for entity in ("PERSON", "LOCATION"):
            NerDetector(entity, reader).find(text, lifted=False, threshold=0.5)
    assert len(model.asked) == 2
    assert reader.read(" , ") == ()
    assert len(model.asked) == 2


def test_a_text_that_is_too_long_is_unmaskable() -> None:
    """Minutes of a processor are nothing that one answer may take."""
    with pytest.raises(Unmaskable, match="too long for the language model"):
        Reader(Capitals()).read("a" * (ner.LONGEST + 1))


def test_detectors_tell_entities_and_thresholds_apart() -> None:
    """One model, several entities."""
    reader = Reader(Capitals())
    assert NerDetector("PERSON", reader).find("ADA b", lifted=False, threshold=0.85) == [Hit("PERSON", 0, 3, 0.85)]
    assert not NerDetector("PERSON", reader).find("ADA b", lifted=True, threshold=0.86)
    assert not NerDetector("LOCATION", reader).find("ADA b", lifted=False, threshold=0.0)


def test_keys_and_paths_name_values() -> None:
    """Each part by itself; a path holds for everything inside it."""
    two = rules({"keys": ["(?i)^comment$", "note"]}, {"paths": ["$.items[*].text"]})
    assert two.named("Comment") == two.named("footnotes") == {0}
    assert two.named("text") == NOBODY
    assert two.named("row comment") == {0}
    assert two.at(["items", 3, "text", "inner"]) == {1}
    assert two.at(["items", 3]) == two.at(["comment"]) == NOBODY
    assert two.placed
    assert not rules({"keys": ["a"]}).placed
    assert not NerRules(())


def test_names_are_matched_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by every expression of a profile."""
    monkeypatch.setattr(ner, "_KEY_SECONDS", 1e-9)
    with pytest.raises(Unmaskable, match="ran out of time"):
        rules({"keys": ["a.*b.*c$"]}).named("ab" * 2000)
