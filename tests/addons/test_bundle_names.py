"""Law: no module in ``addons/`` shadows another one.

``mitmdump -s addons/bundle.py`` leaves the folder of the script at ``sys.path[0]``: whatever stands there under the name
of a package, of a dependency or of the standard library would be imported in its place, by anybody, later.
"""

import importlib.metadata
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDONS = ROOT / "addons"
NAMES = sorted(
    {path.stem for path in ADDONS.iterdir() if path.suffix == ".py" or path.is_dir()} - {"__init__", "__pycache__"}
)


def test_there_are_modules() -> None:
    """The list below is not empty by mistake."""
    assert {"bundle", "chain", "dispatch"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_has_a_name_of_its_own(name: str) -> None:
    """Not of the standard library, of an installed distribution, or of a package of this project."""
    assert name not in sys.stdlib_module_names
    assert name not in importlib.metadata.packages_distributions()
    assert not (ROOT / name).exists()
    assert not (ROOT / f"{name}.py").exists()
