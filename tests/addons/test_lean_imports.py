"""Law: the launcher loads the stock addons that it uses, works with them, and loads no others."""

import subprocess
import sys

PROGRAM = """
import sys
from addons import lean_imports
lean_imports.install()
from addons import launcher
loaded = {name.removeprefix("mitmproxy.addons.") for name in sys.modules if name.startswith("mitmproxy.addons.")}
assert {"core", "proxyserver", "next_layer", "tlsconfig", "errorcheck"} <= loaded, loaded
assert not {"onboarding", "proxyauth", "clientplayback", "save"} & loaded, loaded
assert "ldap3" not in sys.modules and "flask" not in sys.modules
lean_imports.install()
from mitmproxy.addons import block
assert block.Block
"""


def test_only_what_is_used_is_loaded() -> None:
    """Thirty addons, LDAP and Flask stay out; a stock addon that is asked for is found."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
