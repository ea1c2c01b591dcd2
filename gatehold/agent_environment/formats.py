"""An environment as shells, dotenv files, Kubernetes and Compose read it.

Quoting is exact: what a reader makes of a value is the value, with ``${GATEHOLD_TOKEN}`` filled in by that reader (in
Kubernetes, which fills in nothing, by ``envsubst`` before it is applied).
"""

import base64
import re
import shlex
from collections.abc import Sequence
from typing import Any

import yaml

from gatehold.agent_environment.trust import AUTHORITY, BUNDLE, TRUST_STORE, Trust
from gatehold.agent_environment.variables import TOKEN, Variable

_BARE = re.compile(r"[A-Za-z0-9_./:@,%+=-]*")


def shell(variables: Sequence[Variable]) -> str:
    """For ``eval`` in a POSIX shell that has the token; without one it says so and exports nothing."""
    needs = [f': "${{{TOKEN}:?is not set; it holds the token of the agent}}"'] if _has_token(variables) else []
    return "".join(f"{line}\n" for line in (*needs, *(f"export {each.name}={_shell_word(each)}" for each in variables)))


def dotenv(variables: Sequence[Variable]) -> str:
    """For Compose, python-dotenv and ``set -a; . FILE`` of a shell, which agree on this much of the syntax."""
    return "".join(f"{each.name}={_dotenv_word(each)}\n" for each in variables)


def compose(variables: Sequence[Variable], *, service: str, source: str, mount: str) -> str:
    """An override file for one service; ``source`` is the directory with the files, ``mount`` where it sees them."""
    volume = {"type": "bind", "source": _uninterpolated(source), "target": _uninterpolated(mount), "read_only": True}
    environment = {each.name: _composed(each) for each in variables}
    return _yaml({"services": {service: {"environment": environment, "volumes": [volume]}}})


def kubernetes(variables: Sequence[Variable], trust: Trust, *, name: str, mount: str) -> str:
    """A Secret with the environment and a ConfigMap with the files, both called ``name``."""
    token = {TOKEN: f"${{{TOKEN}}}"} if _has_token(variables) else {}
    secret = {
        **_object("Secret", name),
        "type": "Opaque",
        "stringData": token | {each.name: each.filled() for each in variables},
    }
    files = {
        **_object("ConfigMap", name),
        "data": {AUTHORITY: trust.authority.decode("ascii"), BUNDLE: trust.bundle.decode("ascii")},
        "binaryData": {TRUST_STORE: base64.b64encode(trust.trust_store()).decode("ascii")},
    }
    use = {
        "containers": [
            {
                "envFrom": [{"secretRef": {"name": name}}],
                "volumeMounts": [{"name": "gatehold", "mountPath": mount, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "gatehold", "configMap": {"name": name}}],
    }
    told = "".join(f"#   {line}\n" for line in _yaml(use).splitlines())
    return f"# Apply with the token filled in: envsubst '${{{TOKEN}}}'. In the pod's spec:\n{told}" + "---\n".join(
        (_yaml(secret), _yaml(files))
    )


def _has_token(variables: Sequence[Variable]) -> bool:
    return any(each.then is not None for each in variables)


def _shell_word(variable: Variable) -> str:
    if variable.then is None:
        return shlex.quote(variable.text)
    return f'"{_in_double_quotes(variable.text)}${{{TOKEN}}}{_in_double_quotes(variable.then)}"'


def _in_double_quotes(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _dotenv_word(variable: Variable) -> str:
    """Bare where nothing in it means anything; else in single quotes, which no value of ours holds itself."""
    parts = (variable.text, variable.then or "")
    if all(_BARE.fullmatch(part) for part in parts):
        return variable.filled()
    if variable.then is not None or "'" in variable.text or "\n" in variable.text:
        raise ValueError(f"{variable.name} has no form that all readers of dotenv files agree on")
    return f"'{variable.text}'"


def _composed(variable: Variable) -> str:
    if variable.then is None:
        return _uninterpolated(variable.text)
    return f"{_uninterpolated(variable.text)}${{{TOKEN}}}{_uninterpolated(variable.then)}"


def _uninterpolated(text: str) -> str:
    return text.replace("$", "$$")


def _object(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


class _Blocks(yaml.CSafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Blocks, sort_keys=False, width=10_000)
