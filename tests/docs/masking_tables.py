"""The tables of the page on masking: from the code, and from running it."""

from collections.abc import Callable
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from gatehold.approvals.rendering import visible
from masking.content import _CHARSETS, _SHAPES
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.profiles import resolve
from masking.secret_patterns import SECRET_PATTERNS

DIFFERENCES = Path(__file__).parents[1] / "cases" / "masking" / "beyond_presidio.yaml"
EXAMPLES = (
    ("pii", "text/plain", "mail ada@example.com"),
    ("pii", "text/plain", "212-555-5555"),
    ("pii", "text/plain", "phone 212-555-5555"),
    ("pii", "application/json", '{"phone": "212-555-5555"}'),
    ("pii", "application/json", '{"phone": ["212-555-5555"]}'),
    ("pii", "application/json", r'{"e": "ada\u0040example.com"}'),
    ("pii", "application/json", '{"log": "{\\"e\\": \\"ada@example.com\\"}"}'),
    ("pii", "application/json", '{"blob": "bWFpbCBhZGFAZXhhbXBsZS5jb20="}'),
    ("pii", "text/plain", "https://x.example/?q=ada%40example.com"),
    ("pii", "text/html", "<b>ada&#64;example.com</b>"),
    ("pii", "text/csv", "name,email\nAda,ada@example.com"),
    ("pii", "application/json", '{"ssn": "078051120"}'),
    ("pci", "application/json", '{"card": 4111111111111111, "id": 12345678901234567890}'),
    ("pci", "text/plain", "note_4111111111111111"),
    ("kubernetes", "application/json", '{"kind": "Secret", "data": {"a": "c2VjcmV0"}}'),
    ("secrets", "application/json", '{"token": "x", "tokens": 3}'),
)
"""Profile, content type, and a body of which the page says what becomes of it."""
MISSED = (
    ("pii", "text/plain", "ada at example dot com"),
    ("pii", "text/plain", "moc.elpmaxe@ada"),
    ("pii", "text/plain", "ada@dc1.acme"),
    ("pii", "text/plain", "Ada Lovelace, 12 St James's Square"),
    ("pii", "text/plain", "t92YuUGbw1WY4VGQhRWY"),
    ("pci", "text/plain", "4111 1111 1111 1112"),
    ("secrets", "text/plain", "hunter2"),
)
"""Bodies that stay as they are, so that nobody believes otherwise."""


@cache
def engine() -> MaskingEngine:
    """With the built-in profiles."""
    return MaskingEngine(resolve({}), key=b"documentation documentation 1234")


def masked(profile: str, content_type: str, body: str) -> str:
    """What an agent gets."""
    return engine().mask_body(body.encode(), content_type=content_type, profiles=(profile,)).body.decode()


def examples() -> list[tuple[str, ...]]:
    """Profile, content type, body, masked body."""
    return [(row[0], row[1], _code(row[2]), _code(masked(*row))) for row in EXAMPLES]


def missed() -> list[tuple[str, ...]]:
    """Profile and body."""
    return [(profile, _code(body)) for profile, _, body in MISSED]


def secrets() -> list[tuple[str, ...]]:
    """Entity, and the forms that are known."""
    known: dict[str, list[str]] = {}
    for pattern in SECRET_PATTERNS:
        known.setdefault(pattern.entity, []).append(pattern.form)
    return [(f"`{entity}`", "; ".join(dict.fromkeys(known[entity]))) for entity in sorted(known)]


def profiles() -> list[tuple[str, ...]]:
    """Profile, what is looked for everywhere, what is hidden by its name or place."""
    rows = []
    for name, profile in sorted(resolve({}).items()):
        secret = {pattern.entity for pattern in SECRET_PATTERNS}
        own = [f"`{entity}`" for entity in sorted(profile.entities) if entity not in secret]
        if any(entity in secret for entity in profile.entities):
            own.append("every secret of the table below")
        placed = sorted({rule.entity for rule in (*profile.keys, *profile.paths)})
        kinds = [f"fields of {kind.kind} ({', '.join(kind.fields)})" for kind in profile.kinds]
        rows.append((f"`{name}`", ", ".join(own), ", ".join([*(f"`{each}`" for each in placed), *kinds])))
    return rows


def formats() -> list[tuple[str, ...]]:
    """Format, and the content types that are read as it."""
    known = sorted(_SHAPES.items(), key=lambda each: (each[1].value, each[0]))
    suffixes = {"json": ["`*+json`"], "xml": ["`*+xml`"], "text": ["`text/*`", "YAML"]}
    return [
        (shape.value, ", ".join([*(f"`{essence}`" for essence, _ in group), *suffixes.get(shape.value, [])]))
        for shape, group in groupby(known, key=lambda each: each[1])
    ]


def charsets() -> str:
    """Those that are read, as a line."""
    return ", ".join(sorted({charset.upper() for charset in _CHARSETS.values()})) + "\n"


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return fence + text.replace("\n", "⏎") + fence


def refuses(content_type: str, body: bytes) -> bool:
    """Whether a body of this type is withheld."""
    try:
        engine().mask_body(body, content_type=content_type, profiles=("pii",))
    except Unmaskable:
        return True
    return False


def differences() -> list[tuple[str, ...]]:
    """What differs from Presidio by intent, why, and texts that it hides none of."""
    listed: list[dict[str, Any]] = yaml.safe_load(DIFFERENCES.read_text("utf-8"))
    return [
        (
            each["what"],
            each["why"].rstrip("."),
            "" if each["presidio"] else ", ".join(_code(visible(text)) for text in each["texts"]),
        )
        for each in listed
    ]


TABLES: dict[str, tuple[tuple[str, ...], Callable[[], list[tuple[str, ...]]]]] = {
    "masking-profiles": (("profile", "looked for everywhere", "hidden by name or place"), profiles),
    "masking-secrets": (("entity", "forms"), secrets),
    "masking-formats": (("format", "content types"), formats),
    "masking-examples": (("profile", "content type", "body", "becomes"), examples),
    "masking-missed": (("profile", "body"), missed),
    "masking-differences": (("what", "why", "hidden here, not by Presidio"), differences),
}
"""Name of a part to the head of its table and what makes its rows."""
