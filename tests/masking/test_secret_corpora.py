"""Precision: on what infrastructure answers, hits are exactly the few that are listed."""

from collections import Counter

import pytest

from masking.engine import MaskingEngine
from masking.profiles import resolve
from tests.masking.corpora import Corpus, corpora

CORPORA = {corpus.name: corpus for corpus in corpora()}
LISTED: dict[str, Counter[str]] = {
    # Ciphertext of a SealedSecret under "password" and "token"; the name of a key in an ExternalSecret ("secretKey").
    "kubernetes objects": Counter({"SECRET": 3}),
}
"""All that is hit though it is no secret: by corpus, how often as what."""


def hits(engine: MaskingEngine, corpus: Corpus, profile: str) -> Counter[str]:
    found = engine.inspect(corpus.text, content_type=corpus.content_type, profiles=(profile,)).findings
    return Counter(each.entity for each in found)


@pytest.mark.parametrize("profile", ["secrets", "kubernetes"])
@pytest.mark.parametrize("name", CORPORA)
def test_only_what_is_listed_is_hit(engine: MaskingEngine, name: str, profile: str) -> None:
    """Digests, ids, references, placeholders, schemas, code and messages pass untouched."""
    assert hits(engine, CORPORA[name], profile) == LISTED.get(name, Counter())


def test_the_guard_of_infrastructure_stays() -> None:
    """Whatever a profile for Kubernetes detects, the boundary guard may drop."""
    assert all(rule.guarded for rule in resolve({})["kubernetes"].entities.values())


def test_the_corpora_are_big_enough_to_mean_something() -> None:
    """Over half a megabyte in over fifty bodies, and every listed one exists."""
    assert sum(len(corpus.text) for corpus in CORPORA.values()) > 600_000
    assert len(CORPORA) > 50
    assert set(LISTED) <= set(CORPORA)
