"""Where one can go from every page. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the navigation."""

    path: str
    label: str
    key: str
    """Pressed after ``g``, it leads here."""


PLACES: Final = (
    Place(path="/", label="Inbox", key="i"),
    Place(path="/grants", label="Grants", key="g"),
    Place(path="/sessions", label="Sessions", key="s"),
    Place(path="/recordings", label="Recordings", key="r"),
    Place(path="/policy", label="Policy", key="p"),
    Place(path="/audit", label="Audit", key="a"),
)


def places(routed: Iterable[str]) -> tuple[Place, ...]:
    """Those that lead somewhere, given the paths of all routes."""
    known = frozenset(routed)
    return tuple(place for place in PLACES if place.path in known)


def current(known: Iterable[Place], path: str) -> str:
    """The path of the entry under which a page is; empty for none. An approval belongs to the inbox."""
    if path.startswith("/approvals"):
        return "/"
    inside = [place.path for place in known if place.path != "/" and f"{path}/".startswith(f"{place.path}/")]
    return inside[0] if inside else ("/" if path == "/" else "")
