"""A small language model of spaCy, made here: a few hundred made-up sentences, always the same."""

import random
import re
from functools import cache
from pathlib import Path

WORDS = {
    "PERSON": ("Ada Lovelace", "Grace Hopper", "Alan Turing", "Mary Shelley", "Karl Braun", "Nina Simon", "Omar Khan"),
    "GPE": ("Berlin", "Paris", "Lagos", "Kyoto", "Oslo", "Lima"),
    "ORG": ("Acme Corp", "Globex", "Initech", "Umbrella Ltd"),
}
SENTENCES = (
    "{PERSON} called from {GPE}.",
    "Please ship it to {PERSON} in {GPE}.",
    "{PERSON} of {ORG} asked for a refund.",
    "The parcel of {ORG} is late.",
    "No news today.",
    "customer {PERSON}",
    "Met {PERSON} and {PERSON}.",
    "{ORG} moved to {GPE}.",
    "thanks for the quick answer",
    "order 1234 was late",
    "{PERSON}",
)
_PLACE = re.compile(r"\{(\w+)\}")


def sentence(chance: random.Random) -> tuple[str, list[tuple[int, int, str]]]:
    """A made-up sentence, and what stands where in it, by the model's labels."""
    text, found = "", list[tuple[int, int, str]]()
    for at, piece in enumerate(_PLACE.split(chance.choice(SENTENCES))):
        value = chance.choice(WORDS[piece]) if at % 2 else piece
        if at % 2:
            found.append((len(text), len(text) + len(value), piece))
        text += value
    return text, found


@cache
def train(directory: Path) -> Path:
    """Make the model in ``directory`` and return where it is; seconds."""
    import spacy
    from spacy.training import Example
    from thinc.api import fix_random_seed

    chance = random.Random(1)
    fix_random_seed(7)
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ner")
    for label in WORDS:
        component.add_label(label)
    made = (sentence(chance) for _ in range(300))
    examples = [Example.from_dict(nlp.make_doc(text), {"entities": found}) for text, found in made]
    nlp.initialize(lambda: examples)
    for _ in range(4):
        chance.shuffle(examples)
        for start in range(0, len(examples), 16):
            nlp.update(examples[start : start + 16])
    nlp.to_disk(directory / "tiny")
    return directory / "tiny"
