"""Values of the alphabet and length of real keys, made at run time: no literal that looks real stands in this tree."""

import random
import string
from collections.abc import Mapping, Sequence

_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "letters": string.ascii_letters,
    "lower": string.ascii_lowercase + string.digits,
    "upper": "ABCDEFGHJKLMNPQRSTUVWXYZ23456789",
    "url": string.ascii_letters + string.digits,
}


def made(parts: Sequence[str | Mapping[str, int]]) -> str:
    """The value of ``[npm_, {alnum: 36}]``: the same on every run."""
    chance = random.Random(repr(parts))
    return "".join(part if isinstance(part, str) else _piece(part, chance) for part in parts)


def _piece(part: Mapping[str, int], chance: random.Random) -> str:
    ((alphabet, length),) = part.items()
    drawn = chance.choices(_ALPHABETS[alphabet], k=length)
    if alphabet != "letters":
        drawn[-1] = "7"
    if alphabet == "url" and length > 2:
        drawn[length // 2] = "_"
    return "".join(drawn)
