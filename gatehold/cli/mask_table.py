"""What was found, for people: a table on standard error, which never holds a value unless that is asked for."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masking.engine import Finding
    from masking.profiles import Profile
    from masking.profiles.spec import KeySpec, KindSpec, PathSpec

_HEADER = ("entity", "place", "score", "operator")


def rows(
    text: str, findings: Sequence["Finding"], profiles: Iterable["Profile"], *, is_json: bool, show: bool
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: entity, place, score, operator, and with ``show`` the value."""
    place = _paths(text) if is_json else _lines(text)
    operators = operators_of(profiles)
    told = [
        (
            hit.entity,
            place(hit.start),
            f"{hit.score:.2f}",
            "/".join(operators.get(hit.entity, ())),
            *((text[hit.start : hit.end],) if show else ()),
        )
        for hit in findings
    ]
    return (*_HEADER, "value") if show else _HEADER, told


def summary(findings: Iterable["Finding"], profiles: Sequence[str]) -> str:
    """One line: how many values of which entity were found, the most frequent first."""
    counts = Counter(hit.entity for hit in findings).most_common()
    said = ", ".join(f"{entity} {count}" for entity, count in counts)
    return f"{said or 'nothing to hide'} ({', '.join(profiles)})"


def operators_of(profiles: Iterable["Profile"]) -> dict[str, list[str]]:
    """Which operators profiles have for each entity, sorted."""
    found: dict[str, set[str]] = {}
    for profile in profiles:
        for entity, rule in profile.entities.items():
            found.setdefault(entity, set()).add(rule.treatment.operator)
        placed: list[KeySpec | PathSpec | KindSpec] = [*profile.keys, *profile.paths, *profile.kinds]
        for place in placed:
            found.setdefault(place.entity, set()).add(place.operator)
        for spec in profile.ner:
            for entity in spec.entities:
                found.setdefault(entity, set()).add(spec.operator)
    return {entity: sorted(found[entity]) for entity in sorted(found)}


def _lines(text: str) -> Callable[[int], str]:
    """Places as ``line:column``, both from 1."""
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]

    def place(offset: int) -> str:
        line = bisect_right(starts, offset)
        return f"{line}:{offset - starts[line - 1] + 1}"

    return place


def _paths(text: str) -> Callable[[int], str]:
    """Places as JSON paths; as line and column where the text is not JSON after all."""
    from masking.errors import Unmaskable
    from masking.formats.json_spans import scan

    body = text.removeprefix("\ufeff")
    mark = len(text) - len(body)
    try:
        layout = scan(body)
    except Unmaskable:
        return _lines(text)
    starts = [leaf[0] for leaf in layout.leaves]

    def place(offset: int) -> str:
        leaf = bisect_right(starts, offset - mark) - 1
        return "".join(("$", *_steps(layout.steps_to(layout.leaves[leaf])))) if leaf >= 0 else "$"

    return place


def _steps(steps: Iterable[str | int]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, int):
            yield f"[{step}]"
        else:
            yield f".{step}" if step.replace("_", "").replace("-", "").isalnum() else f"['{step}']"
