"""Law: the answer to a signed call shows its signature in no spelling, besides all that no answer shows."""

import base64

from addons.call_echoes import with_signature
from gatehold.config.values import Secret
from masking.literals import Literals
from tests.addons.support import make_call

SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
KNOWN = Literals((b"planted-credential",))


def test_without_a_signature_nothing_is_added() -> None:
    """The very object."""
    assert with_signature(KNOWN, make_call()) is KNOWN


def test_both_are_taken_out() -> None:
    """In every spelling; what could be the beginning of either is held back."""
    echoes = with_signature(KNOWN, make_call(signed=(Secret(SIGNATURE),)))
    encoded = base64.b64encode(SIGNATURE.encode())
    text = b"a planted-credential b " + SIGNATURE.encode() + b" c " + SIGNATURE.upper().encode() + b" d"
    assert bool(echoes)
    assert echoes.replace(text) == b"a *** b *** c *** d"
    assert encoded not in echoes.replace(b"x " + encoded)
    assert echoes.replace(b"plain") == b"plain"
    for beginning in (b"planted-c", SIGNATURE[:20].encode()):
        assert echoes.held_back(b"text " + beginning) >= len(beginning)


def test_another_call_has_another_one() -> None:
    """A signature is looked for in the answer to its own call."""
    first, second = make_call(signed=(Secret(SIGNATURE),)), make_call(signed=(Secret("0" * 64),))
    assert with_signature(KNOWN, second).replace(SIGNATURE.encode()) == SIGNATURE.encode()
    assert with_signature(KNOWN, first).replace(SIGNATURE.encode()) == b"***"
