"""One owner's tokens are another owner's nothing."""

import json

from masking.engine import MaskingEngine
from masking.profiles import MaskProfileSpec, resolve
from masking.pseudonyms import Pseudonyms

SPEC = {"entities": {"EMAIL_ADDRESS": {"operator": "pseudonym"}}}
BODY = json.dumps({"a": "bob@example.com", "b": "bob@example.com"}).encode()


def tokens(engine: MaskingEngine, pseudonyms: Pseudonyms | None) -> list[str]:
    masked = engine.mask_body(BODY, content_type="application/json", profiles=("own",), pseudonyms=pseudonyms)
    return list(json.loads(masked.body).values())


def test_an_owner_has_one_token_for_a_value_and_no_other_owner_has_it() -> None:
    engine = MaskingEngine(resolve({"own": MaskProfileSpec.model_validate(SPEC)}), key=b"k" * 32)
    one, other = Pseudonyms(owner="s1", key=b"1" * 32), Pseudonyms(owner="s2", key=b"2" * 32)
    seen = [tokens(engine, owner) for owner in (one, other, None)]
    assert all(first == second for first, second in seen)
    assert len({first for first, _ in seen}) == 3
    assert tokens(engine, one) == seen[0]


def test_workers_of_owners_are_bounded() -> None:
    """However many sessions ask, memory holds those of the last ones only; the tokens stay the same."""
    engine = MaskingEngine(resolve({"own": MaskProfileSpec.model_validate(SPEC)}), key=b"k" * 32)
    first = Pseudonyms(owner="first", key=b"f" * 32)
    before = tokens(engine, first)
    for number in range(200):
        tokens(engine, Pseudonyms(owner=str(number), key=bytes([number]) * 32))
    assert len(engine._owned) <= 128
    assert tokens(engine, first) == before
