"""The pages of the documentation, and the blocks of code in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        """Its place, for the names of tests."""
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Every block in one of these languages, in all pages."""
    found = [block for page in PAGES for block in _blocks(page)]
    return [block for block in found if block.language in languages]


def prose(path: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", path.read_text())


def _blocks(path: Path) -> list[Block]:
    text = path.read_text()
    return [
        Block(page=path.name, line=text.count("\n", 0, match.start()) + 1, language=match[1], text=match[2])
        for match in _FENCE.finditer(text)
    ]
