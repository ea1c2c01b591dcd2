"""npm packages that tests need: installed once into a cache directory outside of the tree.

Where npm or a package cannot be had, tests are skipped, unless ``GATEHOLD_REQUIRE`` names ``node``.
"""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

from tests.e2e.harness import require
from tests.requiring import lacking

_OPTIONS = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")


def node_packages(package: Path, name: str) -> Path:
    """The directory whose ``node_modules`` holds what a ``package.json`` asks for; ``name`` tells it from others."""
    npm = require("npm")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehold-tests"
    place = base / f"{name}-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "installed").exists():
            (place / "package.json").write_bytes(package.read_bytes())
            done = subprocess.run(
                [npm, "install", *_OPTIONS], cwd=place, capture_output=True, text=True, timeout=100, check=False
            )
            if done.returncode:
                lacking("node", f"the npm packages of {package.name} ({name}) cannot be installed here")
            (place / "installed").touch()
    return place
