"""Law: the page of the console says what the guard sends, and which keys there are."""

import re
from pathlib import Path

from gatehold.console.guarding import MOST_BODY, POLICY
from gatehold.console.navigation import PLACES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "console.md").read_text()


def test_the_policy_is_told() -> None:
    """Word for word."""
    assert f"`{POLICY}`" in PAGE
    assert f"{MOST_BODY // 1024} KiB" in PAGE


def test_every_key_is_told() -> None:
    """Those of the script, on the page and in the console's own list."""
    script = (ROOT / "gatehold" / "console" / "static" / "console.js").read_text()
    table = script.split("const keys = {")[1].split("};")[0]
    keys = set(re.findall(r'^  "?([a-zA-Z?/]+)"?: ', table, re.MULTILINE)) - {"o", "/"}
    shown = (ROOT / "gatehold" / "console" / "templates" / "keys.html").read_text()
    for key in keys:
        assert f"`{key}`" in PAGE, key
        assert f"<kbd>{key}</kbd>" in shown, key
    assert {place.key for place in PLACES}.isdisjoint({"j", "k", "d", "u"})
