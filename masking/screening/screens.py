"""What is compiled of a plan: the same for every owner of its pseudonyms."""

from collections.abc import Sequence
from typing import NamedTuple

from masking.databases import UnscannableError
from masking.plan import Plan
from masking.screening.backends import Backend, Gated, Scanner, Scanners, backend, gates, scanner
from masking.screening.escapes import LEFT
from masking.screening.families import Family, for_documents, for_texts
from masking.screening.patterns import CONTROL, patterns_of, together


class Screens(NamedTuple):
    """The scanners of a plan; None where it asks for something that no expression tells."""

    documents: Scanners | None
    """For JSON, with simple escapes undone; but for ``left``."""
    left: Scanners | None
    """For escapes that are left."""
    together: Scanners | None
    """For the ``bare`` form of JSON; None where ``documents`` alone looks for everything."""
    texts: Scanners | None
    """For texts as they are."""
    lines: Scanners | None
    """For texts with simple escapes undone."""


def screens_of(plan: Plan, using: Backend | None = None) -> Screens:
    """Compiles what is looked for: tenths of a second, unless something looked for the same already."""
    # Other scanners than hyperscan take quadratic time for these, where a long string is full of what may count.
    apart = together(plan) if (using or backend()) == "hyperscan" else None
    bare = None if apart is None else _scanner([Family((), apart)], using)
    strict, loose = patterns_of(plan, alone=bare is None), patterns_of(plan, names_end=False)
    return Screens(
        documents=_scanner(for_documents(strict), using) if strict else None,
        left=_scanner([Family((), ((LEFT,),))], using),
        together=bare,
        texts=_scanner(for_texts((*loose, (CONTROL,))), using) if loose else None,
        lines=_scanner(for_texts((*loose, (LEFT,))), using) if loose else None,
    )


def _scanner(families: Sequence[Family], using: Backend | None) -> Scanners | None:
    try:
        return Scanners([_of_family(each, using) for each in families])
    except UnscannableError:
        return None


def _of_family(family: Family, using: Backend | None) -> Scanner:
    behind = [scanner(group, using) for group in family.behind]
    return Gated(gates(family.gates, using), behind) if family.gates else Scanners(behind)
