"""Commands that a page offers for copying into a shell on the gateway's machine. Pure."""

import re
import shlex
from pathlib import Path
from typing import Final

_PLAIN: Final = re.compile(r"[!-~][ -~]*", re.ASCII)


def recordings(verb: str, name: str, config: Path, *options: str) -> str:
    """``gatehold recordings VERB NAME --config DIR``; empty for a name that a shell or terminal could misread."""
    if not _PLAIN.fullmatch(name) or not _PLAIN.fullmatch(str(config)):
        return ""
    named = ["--", name] if name.startswith("-") else [name]
    fixed = ["--config", str(config), *options]
    words = [*fixed, *named] if named[0] == "--" else [*named, *fixed]
    return shlex.join(["gatehold", "recordings", verb, *words])


def verify(config: Path) -> str:
    """The verification that checks signatures as well."""
    return shlex.join(["gatehold", "audit", "verify", "--config", str(config), "--key", "KEY.pem"])


def accept_removals(config: Path) -> str:
    """The reload that may take protection away."""
    return shlex.join(["gatehold", "reload", "--config", str(config), "--accept-removals"])
