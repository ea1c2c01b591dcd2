"""The agent as a Kubernetes user, so that the cluster's own RBAC and audit see it.

Every name stands under a prefix of ours: no claim of an identity provider can become ``system:masters``. A claim that
tries to, or that a header would not carry as it is, is refused, never mended: what a server would trim away or fold
would make another user of the agent.
"""

from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

_RESERVED = "system:"
"""Kubernetes keeps users and groups under this prefix to itself."""


def impersonation(agent: Agent) -> tuple[tuple[str, str], ...]:
    """Header fields that make a call the agent's; raises ``Refusal`` for a name that cannot be a user's or group's."""
    for name in (agent.subject, *agent.groups):
        _check(name)
    fields = [("Impersonate-User", f"agent:{agent.issuer}:{agent.subject}")]
    fields += [("Impersonate-Group", f"agent:{group}") for group in agent.groups]
    return tuple(fields)


def _check(name: str) -> None:
    if name.lower().startswith(_RESERVED):
        raise _refusal("it begins with `system:`")
    if not name or name != name.strip():
        raise _refusal("it is empty or has spaces around it")
    if not name.isascii() or not name.isprintable():
        raise _refusal("it has characters that no header can carry")


def _refusal(why: str) -> Refusal:
    detail = "The agent's name or the name of a group of its cannot be used in this cluster"
    return Refusal(Code.MALFORMED, f"{detail}: {why}.")
