r"""The shape of one form of a secret, and what many of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from masking.secrets.checks import various

type Check = Callable[[str], bool]

START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=\[[0-9;]{0,12}m))"
"""Not inside a word. What an escape (``\\n``) or a colour of a terminal (``ESC[32m``) ends with is no part of one."""
END = r"(?![A-Za-z0-9_-])"
EDGE = r"(?![A-Za-z0-9])"
"""After a value of letters and digits that its beginning tells for sure: signs may touch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPattern:
    r"""One form of one kind of secret; several may share an entity.

    ``regex`` is read by the ``regex`` module: what stands before ``\K`` is looked at and stays.
    """

    entity: str
    form: str
    """What it is, for people."""
    regex: str
    screen: str
    """Matches in every ASCII text with a hit. For any engine: no look-around, no back-references."""
    score: float = 0.9
    accepts: Check | None = None
    """Refuses what only looks like it."""


def prefixed(  # noqa: PLR0913  (a row of a table)
    entity: str, form: str, regex: str, screen: str, *, accepts: Check = various, end: str = END
) -> SecretPattern:
    """A value that its own beginning gives away."""
    return SecretPattern(entity=entity, form=form, regex=START + regex + end, screen=screen, accepts=accepts)
