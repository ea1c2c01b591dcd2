"""What is compiled of a plan: the same for every owner of its pseudonyms."""

from typing import NamedTuple

from masking.plan import Plan
from masking.screening.backends import Backend, Gated, Scanner, Scanners, UnscannableError, backend, scanner
from masking.screening.patterns import CONTROL, ESCAPED, GATES_OF_DOCUMENTS, Groups, gated, patterns_of, together


class Screens(NamedTuple):
    """The scanners of a plan; None where it asks for something that no expression tells."""

    documents: Scanners | None
    """For JSON, with simple escapes undone."""
    together: Scanners | None
    """For the ``bare`` form of JSON; None where ``documents`` alone looks for everything."""
    texts: Scanners | None
    """For texts as they are."""
    lines: Scanners | None
    """For texts with simple escapes undone."""


def screens_of(plan: Plan, using: Backend | None = None) -> Screens:
    """Compiles what is looked for: tenths of a second, unless something looked for the same already."""
    # Other scanners than hyperscan take quadratic time for these, where a long string is full of what may count.
    bare = _scanner(together(plan), None, using) if (using or backend()) == "hyperscan" else None
    strict, loose = patterns_of(plan, alone=bare is None), patterns_of(plan, names_end=False)
    return Screens(
        documents=_scanner(strict, ESCAPED, using),
        together=bare,
        texts=_gated(loose, CONTROL, using),
        lines=_gated(loose, ESCAPED, using),
    )


def _scanner(groups: Groups | None, more: str | None, using: Backend | None) -> Scanners | None:
    if groups is None:
        return None
    try:
        return Scanners([_behind_gate(group, using) for group in (*groups, *([(more,)] if more else []))])
    except UnscannableError:
        return None


def _behind_gate(group: tuple[str, ...], using: Backend | None) -> Scanner:
    gate = GATES_OF_DOCUMENTS.get(group[0])
    return Gated(scanner((gate,), using), scanner(group, using)) if gate else scanner(group, using)


def _gated(groups: Groups | None, more: str, using: Backend | None) -> Scanners | None:
    """Like ``_scanner``, for those who ask only whether a text is quiet."""
    if groups is None:
        return None
    try:
        found = [(gate, scanner(behind, using)) for gate, behind in gated((*groups, (more,)))]
        return Scanners([Gated(scanner((gate,), using), behind) if gate else behind for gate, behind in found])
    except UnscannableError:
        return None
