"""What the matrix says of a client. The example that the page shows is the program that the tests run."""

from dataclasses import dataclass
from typing import Literal

Outer = Literal["spoken", "in the open", "past it"]
"""What a client does with an ``https://`` proxy: speaks TLS with it, speaks without, goes past it."""
Language = Literal["sh", "python", "javascript", "java"]

MASKED = "<EMAIL_ADDRESS>"
REASON = "The report is not for agents."
"""Of the rule that refuses ``/report.csv`` in the configuration of the matrix."""
PROXY_STATUS = r"\b407\b|(?i:proxy authentication required|proxy authorization required)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client that works: how it is used, and what it says.

    ``refused`` and ``moved`` turn the example into one that policy refuses, or that is redirected to another host: a
    text in it, and what stands there instead. For ``moved`` ``{}`` is the host that redirects.
    """

    name: str
    language: Language
    example: str
    """Whole program, in the environment of ``gatehold env``; ends with a line feed."""
    answer: str = MASKED
    """What it prints where the call is allowed."""
    needs: str = ""
    """Beside the environment; for the table."""
    refused: tuple[str, str] = ("/customers/1", "/report.csv")
    refusal: str = REASON
    """Pattern of what it shows of a refusal by policy."""
    refusal_told: str = "the reason"
    """The same in words."""
    unauthenticated: str = PROXY_STATUS
    """Pattern of what it shows where there is no token."""
    unauthenticated_told: str = "407"
    moved: tuple[str, str] = ("crm.corp.example", "{}.corp.example")
    programs: tuple[str, ...] = ()
    """Parts of the system that it is made of."""
    packages: bool = False
    """Is it a package of Node?"""
    forwarded: tuple[tuple[str, str], ...] = ()
    """What is left out of the example where an agent proxy shows the token."""
    outer: Outer = "spoken"
    outer_needs: tuple[str, str] = ("", "")
    """A text in the example, and what stands there instead where TLS is spoken with the proxy."""
    outer_told: str = "yes"
    note: str = ""
    """For the page, above the example."""

    def where_refused(self) -> str:
        """The example with a call that policy refuses."""
        return self._with(*self.refused)

    def where_moved(self, host: Literal["moved", "other"]) -> str:
        """The example with a call that is redirected."""
        return self._with(self.moved[0], self.moved[1].format(host))

    def over_tls(self) -> str:
        """The example for a proxy that requires TLS."""
        return self._with(*self.outer_needs)

    def where_forwarded(self) -> str:
        """The example without what shows the token."""
        text = self.example
        for old, new in self.forwarded:
            if old not in text:
                raise ValueError(f"{self.name}: the example has no {old!r}")
            text = text.replace(old, new)
        return text

    def _with(self, old: str, new: str) -> str:
        if old not in self.example:
            raise ValueError(f"{self.name}: the example has no {old!r}")
        return self.example.replace(old, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Astray:
    """A client that does not follow the environment: what it does, why, and what helps."""

    name: str
    language: Language
    program: str
    """Asks for ``ADDRESS`` and fails where nobody answers."""
    does: str
    why: str
    instead: str
    programs: tuple[str, ...] = ()
    follows: str = ""
    """A shell command that succeeds where this client is new enough to follow the environment."""
