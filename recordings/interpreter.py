"""Another Python beside this one, which ends with it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

_KEPT_ENVIRONMENT: Final = ("PATH", "VIRTUAL_ENV", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "HOME")
_HERE: Final = str(Path(__file__).resolve().parents[1])
_OURS: Final = () if sysconfig.get_path("purelib") == _HERE else (_HERE,)
"""Where our modules are, if not where every interpreter looks: what is named so comes before the standard library."""


def start_python(module: str) -> subprocess.Popen[bytes]:
    """Run a module of ours, with pipes for its standard input and output; it says nothing else. Raises ``OSError``.

    It gets no environment but what an interpreter needs, and imports nothing from the directory in which the gateway
    was started. A Ctrl-C is for the gateway, which drains first.
    """
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    paths = [*_OURS, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )
