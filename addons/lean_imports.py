"""Start without mitmproxy's unused addons.

Importing any stock addon runs ``mitmproxy.addons``, which imports all thirty of them, and with them LDAP, Flask and a
filter grammar: two thirds of a second of every start. A gateway uses six. ``install`` puts a bare package in its place,
in which submodules are found as always; where the package was imported already it does nothing.
"""

import importlib.util
import sys
import types
from pathlib import Path

_PACKAGE = "mitmproxy.addons"


def install() -> None:
    """To be called before anything of mitmproxy's addons is imported in this process."""
    if _PACKAGE in sys.modules:
        return
    import mitmproxy  # noqa: PLC0415 - the parent must be there first, and only now

    spec = importlib.util.find_spec("mitmproxy")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("mitmproxy is not installed as a package")
    bare = types.ModuleType(_PACKAGE)
    bare.__path__ = [str(Path(place) / "addons") for place in spec.submodule_search_locations]
    sys.modules[_PACKAGE] = bare
    vars(mitmproxy)["addons"] = bare
