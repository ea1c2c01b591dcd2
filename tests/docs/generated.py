"""The parts of the documentation that are written by a program: ``scripts/docs`` puts them in place, a test holds them there."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gatehold.approvals.states import mermaid
from policy.expressions.declarations import BODY_VARIABLES, variables
from policy.model import Family
from tests.clients import matrix as clients
from tests.docs import masking_tables

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CORPUS = ROOT / "tests" / "bypass" / "corpus.yaml"


def matrix() -> str:
    """The evasion corpus as a table."""
    cases: list[dict[str, Any]] = yaml.safe_load(CORPUS.read_text())
    rows = [(case["class"], case["name"], case["where"], _answer(case)) for case in cases]
    return table(("class", "what the agent sends", "where", "answer"), rows)


def variable_table() -> str:
    """Every CEL variable: its families, its type, and whether the body is read for it."""
    kinds = {family: variables(family) for family in Family}
    names = list(dict.fromkeys(name for of_family in kinds.values() for name in of_family))
    rows = []
    for name in names:
        families = [family for family in Family if name in kinds[family]]
        said = "all" if len(families) == len(Family) else ", ".join(families)
        kind = str(kinds[families[0]][name]).lower()
        rows.append((f"`{name}`", said, f"`{kind}`", "yes" if name in BODY_VARIABLES else ""))
    return table(("variable", "family", "type", "from the body"), rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def written(text: str, part: str, content: str) -> str:
    """A page with one part put in place. Raises ``ValueError`` where its markers are missing."""
    start, end = f"<!-- generated: {part} -->\n", f"<!-- end of generated: {part} -->"
    found = re.search(f"({re.escape(start)}).*?({re.escape(end)})", text, re.DOTALL)
    if found is None:
        raise ValueError(f"no markers for {part}")
    return f"{text[: found.start()]}{start}\n{content}\n{end}{text[found.end() :]}"


def main() -> None:
    """Put every part in its page."""
    for part, (page, content) in PARTS.items():
        path = DOCS / page
        path.write_text(written(path.read_text(), part, content()))


def _answer(case: dict[str, Any]) -> str:
    codes = " or ".join(str(status) for status in case["expect"])
    return f"{codes} `{case['code']}`" if "code" in case else codes


def _masking(name: str) -> Callable[[], str]:
    head, rows = masking_tables.TABLES[name]
    return lambda: table(head, rows())


PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "bypass-matrix": ("threat-model.md", matrix),
    "approval-states": ("approvals.md", lambda: f"```mermaid\n{mermaid()}```\n"),
    "variables": ("policy.md", variable_table),
    "masking-charsets": ("masking.md", masking_tables.charsets),
    "clients": ("clients.md", lambda: table(*clients.rows())),
    "clients-astray": ("clients.md", lambda: table(*clients.astray_rows())),
    "client-examples": ("clients.md", clients.examples),
    **{name: ("masking.md", _masking(name)) for name in masking_tables.TABLES},
}
"""Name of a part to its page and its text."""


if __name__ == "__main__":
    main()
