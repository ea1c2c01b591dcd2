"""How long texts take that were made to keep the detectors busy: 16 KB each, every detector, and all profiles at once.

    python -m benchmarks.hostile_texts [PART_OF_A_NAME [ENTITY]] [--json FILE]

Prints milliseconds of the processor, the best of three times, for the slowest detectors of each text and for the plan
of all built-in profiles. Nothing is remembered from one time to the next.
"""

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from masking import detectors, numbering, phone_numbers
from masking.errors import Unmaskable
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import resolve
from masking.profiles.resolving import BUILTIN
from masking.screens import PRESIDIO_ENTITIES

SIZE = 16 * 1024
LIMIT_MS = 50.0
CLEARLY_MS = 10.0
"""What took no longer is not tried again."""
TIMES = 3


def _filled(*pieces: str | Callable[[random.Random], str], size: int = SIZE) -> str:
    chance = random.Random(7)  # noqa: S311  (texts to be measured, the same every time)
    made: list[str] = []
    length = 0
    while length < size:
        for piece in pieces:
            made.append(piece if isinstance(piece, str) else piece(chance))
            length += len(made[-1])
    return "".join(made)[:size]


def digits(least: int, most: int | None = None) -> Callable[[random.Random], str]:
    """A run of random digits."""
    return lambda chance: "".join(chance.choices("0123456789", k=chance.randint(least, most or least)))


def any_of(*pieces: str) -> Callable[[random.Random], str]:
    """One of some pieces."""
    return lambda chance: chance.choice(pieces)


PHONE_SIGNS = any_of(
    " ", "-", ".", "/", "//", "////", "(", ")", " - ", "+", "x", " x", "~", "[", "]", ",", "#", ";ext="
)
TEXTS: dict[str, str] = {
    "email: a.a.a.@": "a.a.a." * 2730 + "@",
    "email: @ everywhere": "a@" * 8192,
    "email: local parts": ("a.a.a." * 100 + "@") * 27,
    "email: domain": "@" + "a.a-" * 4096,
    "email: hits": _filled("user", digits(4), "@example.com "),
    "email: short hits": "a@b.co " * 2340,
    "email: in paths": "/a@b.co" * 2340,
    "email: long domains": _filled("x@", "a." * 120, "com/ "),
    "url: dots": "a.a." * 4096,
    "url: www": "www." * 4096,
    "url: schemes": "http://" * 2340,
    "url: schemes and dots": "http://a." * 1820,
    "url: quotes": "\"'http://a.com" * 1170,
    "url: nearly": "a.c-" * 4096,
    "url: one word": "a" * SIZE,
    "url: 253": ("a" * 252 + ".") * 65,
    "url: hits": "example.com " * 1365,
    "url: quoted path": "'http://a.co/" + "a" * SIZE,
    "url: many quoted paths": "'a.co/" * 2730,
    "url: dashes": "-.com" * 3276,
    "phone: 4": _filled(digits(4), " "),
    "phone: 4 dashed": _filled(digits(4), "-"),
    "phone: 1": _filled(digits(1), " "),
    "phone: 1/": _filled(digits(1), "/"),
    "phone: 1 -": _filled(digits(1), " -"),
    "phone: 1////": _filled(digits(1), "////"),
    "phone: 4///_": _filled(digits(4), "/// "),
    "phone: 2/": _filled(digits(2), "/"),
    "phone: 10": _filled(digits(10), " "),
    "phone: 10.": _filled(digits(10), "."),
    "phone: 8": _filled(digits(8), " "),
    "phone: 6": _filled(digits(6), " "),
    "phone: 14": _filled(digits(14), " "),
    "phone: 555": "555-555-5555 " * 1260,
    "phone: 00": _filled("00", digits(4, 12), " "),
    "phone: 0": _filled("0", digits(4, 12), " "),
    "phone: 49": _filled("49", digits(4, 12), " "),
    "phone: +1": "+1" * 8192,
    "phone: + 12": _filled("+", digits(12), " "),
    "phone: +1+1 spaced": _filled("+", digits(1, 3), " "),
    "phone: brackets": "(" * SIZE,
    "phone: (1)": _filled("(", digits(1), ")"),
    "phone: (4)": _filled("(", digits(4), ") "),
    "phone: (1(1": _filled("(", digits(1)),
    "phone: ((()))": _filled("((", digits(3), "))"),
    "phone: [1]": _filled("[", digits(3), "]"),
    "phone: x": _filled(digits(2), "x"),
    "phone: 4x": _filled(digits(4), "x", digits(1), " "),
    "phone: xx": _filled(digits(10), "xx"),
    "phone: ext": _filled(digits(10), " ext ", digits(3), " "),
    "phone: #": _filled(digits(8), " - ", digits(3), "# "),
    "phone: ~": _filled(digits(4), "~"),
    "phone: spaces": "1" + " " * (SIZE - 3) + "x1",
    "phone: label": "1x" + "- " * (SIZE // 2 - 3) + "1",
    "phone: commas": "1" + ", " * (SIZE // 2 - 3) + "x1",
    "phone: many labels": _filled("1", " ,", " " * 200, "x1"),
    "phone: mixed signs": _filled(digits(1, 4), PHONE_SIGNS),
    "phone: mixed long": _filled(digits(3, 11), PHONE_SIGNS),
    "phone: ten, mixed": _filled(any_of("030", "+49", "212", "0"), digits(4, 8), PHONE_SIGNS),
    "phone: full width": _filled(any_of("\uff14", "\uff15", "0", "\uff17"), any_of("", "", "-", "\u2013", " ")),
    "phone: wide hyphens": _filled(digits(1), "\u2013"),
    "card: 4 4 4": _filled("4", digits(3), any_of(" ", "-", "")),
    "card: hits": "4111 1111 1111 1111 " * 819,
    "card: near hits": "4111111111111112 " * 960,
    "iban: letters": "DE89" * 4096,
    "iban: groups": "DE89 3704 0044 0532 0130 00 " * 585,
    "iban: groups, wrong": "DE88 3704 0044 0532 0130 00 " * 585,
    "iban: lower": "ab12" * 4096,
    "crypto: 1": "1" * SIZE,
    "crypto: bc1": "bc1" * 5461,
    "crypto: near hits": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp " * 380,
    "crypto: 3a": "3a" * 8192,
    "date: 1/": "1/" * 8192,
    "date: iso": "2024-11-21T04:03:52Z " * 780,
    "date: dashes": _filled(digits(1, 2), "-"),
    "ip: dots": "1." * 8192,
    "ip: colons": ":" * SIZE,
    "ip: 1:": "1:" * 8192,
    "ip: a::": "a::" * 5461,
    "ip: v4": _filled(digits(1, 3), "."),
    "ip: hits": "10.0.0.1 fe80::1 " * 963,
    "mac": "00:1A:2B:3C:4D:" * 1092,
    "uuid": "550e8400-e29b-41d4-a716-" * 682,
    "uuid: hits": "550e8400-e29b-41d4-a716-446655440000 " * 442,
    "licence": "A1" * 8192,
    "ssn": _filled(digits(3), "-", digits(2), "-", digits(4), " "),
    "digits": _filled(digits(64)),
    "base64": "QUJD" * 4096,
    "base64 nested": "UVVKRFFVSkRRVUpE" * 1024,
    "percent": "%34" * 5461,
    "zero width": _filled(digits(1), "\u200b"),
    "mixture": _filled(
        digits(1, 12),
        any_of(" ", "-", ".", "/", "@", "a.", ":", "x", "(", ")", "+", "http://", "a@b.co", "www.", "DE89", "bc1"),
    ),
}  # fmt: skip


_REMEMBERING = (
    detectors.builtin, detectors.is_host, numbering.is_valid, numbering.valid_abroad, numbering.valid_bare,
    phone_numbers.taken_apart,
)  # fmt: skip


def _best(make: Callable[[], Callable[[], object]]) -> tuple[float, str]:
    """The fewest milliseconds that what is made takes, and why it was refused; each time it is made anew."""
    took, refused = float("inf"), ""
    for _ in range(TIMES):
        for each in _REMEMBERING:
            each.cache_clear()
        act = make()
        start = time.process_time()
        try:
            act()
        except Unmaskable as error:
            refused = f" REFUSED: {error}"
        took = min(took, (time.process_time() - start) * 1e3)
        if took < CLEARLY_MS:
            break
    return took, refused


def _detecting(entity: str, text: str) -> Callable[[], object]:
    found = detectors.builtin(entity)
    return lambda: [each.find(text, lifted=True, threshold=0.0) for each in found]


def _judging(text: str) -> Callable[[], object]:
    profiles = resolve({})
    plan = Plan([profiles[each] for each in BUILTIN], Operators(b"k" * 32))
    return partial(plan.judge.edits, text, "phone")


def main() -> None:
    """Prints one line for each text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("entity", nargs="?")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    detectors.warm()
    # A collection of all that is loaded takes a tenth of a second, and would be told of whichever detector it hits.
    gc.collect()
    gc.freeze()
    only = [each for each in sorted(PRESIDIO_ENTITIES) if options.entity in {None, each}]
    figures = {}
    for name, text in TEXTS.items():
        if options.part not in name:
            continue
        slowest = sorted(((*_best(partial(_detecting, each, text)), each) for each in only), reverse=True)
        took, refused = _best(partial(_judging, text))
        mark = "!" if took > LIMIT_MS or refused or slowest[0][0] > LIMIT_MS else " "
        first = ", ".join(f"{entity} {ms:.1f}{told}" for ms, told, entity in slowest[:2])
        print(f"{mark} {name:24} plan {took:7.1f}{refused}  {first}")
        figures[name] = {"plan": took, **{entity: ms for ms, _, entity in slowest[:2]}}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
