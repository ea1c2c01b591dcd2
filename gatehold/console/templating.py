"""Values and templates to HTML. Escaping is on everywhere, and a name that is not there is an error.

``visible`` and ``lines`` are for every text that somebody else wrote: they show as code points what a reader could not
see. Templates never say ``safe``.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gatehold.approvals.presenting import leaves, needs, timestamp
from gatehold.approvals.rendering import cut, fact, visible
from gatehold.console.assets import asset
from gatehold.console.navigation import Place, current
from gatehold.console.wording import headline, is_unsafe

_NOTHING: Final[tuple[object, ...]] = (None, "", [], {}, ())
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class Templates:
    """The pages of one console."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._places: tuple[Place, ...] = ()
        self.warn(lambda: "")

    def warn(self, banner: Callable[[], str], leads_to: Callable[[], str] = lambda: "") -> None:
        """Have every page of somebody who is signed in begin with these words, where there are any.

        ``leads_to``: the path of the page on which something can be done about it; empty for none.
        """
        self._environment.globals |= {"banner": banner, "banner_leads_to": leads_to}

    def lead_to(self, places: tuple[Place, ...]) -> None:
        """Have every page lead to these."""
        self._places = places

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """One template as text."""
        return self._environment.get_template(name).render(places=self._places, **values)

    def page(self, request: Request, name: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        """One template as an answer; it knows who is signed in (``me``) and where one is (``here``)."""
        common = {"me": getattr(request.state, "signed_in", None), "here": current(self._places, request.url.path)}
        return HTMLResponse(self.render(name, {**common, **values}), status)


def _environment() -> Environment:
    """Jinja, with the filters that pages use."""
    made = Environment(
        loader=PackageLoader("gatehold.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset
    made.filters |= {
        "visible": lambda value: visible(str(value)),
        "lines": lines,
        "fact": fact,
        "cut": cut,
        "needs": needs,
        "leaves": leaves,
        "timestamp": timestamp,
        "clock": clock,
        "duration": duration,
        "kibibytes": kibibytes,
        "diff": diff,
        "telling": telling,
        "headline": lambda call: headline(call.facts, call.method, call.path),
    }
    made.tests["unsafe"] = is_unsafe
    return made


def lines(text: str) -> list[str]:
    """The lines of a text, each made visible."""
    return [visible(line) for line in text.removesuffix("\n").split("\n")]


def diff(text: str) -> list[tuple[str, str]]:
    """The lines of a unified diff, each with its class: ``add``, ``del``, ``hunk`` or none."""
    return [(_diff_class(line), line) for line in lines(text)]


def _diff_class(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "hunk"
    return {"+": "add", "-": "del"}.get(line[:1], "")


def telling(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Facts that tell something, by name."""
    return [(name, value) for name, value in sorted(facts.items()) if value not in _NOTHING]


def clock(seconds: float) -> str:
    """``12:03:07``, in UTC: pages show the reader's own time where scripts run."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """The two largest units of so many seconds: ``1h 5m``, ``14m 59s``, ``0s``."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in _STEPS:
        number, left = divmod(left, size)
        if number or parts:
            parts.append(f"{number}{unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0")) or "0s"


def kibibytes(size: int) -> str:
    """``812 B``, ``1.5 KiB``."""
    return f"{size} B" if size < 1024 else f"{size / 1024:.1f} KiB"
