"""The agent as a Kubernetes user, so that the cluster's own RBAC and audit see it.

Every name stands under a prefix of ours: no claim of an identity provider can become ``system:masters``.
"""

from policy.model import Agent


def impersonation(agent: Agent) -> tuple[tuple[str, str], ...]:
    """Header fields that make a call the agent's; raises ValueError for a name that no header can carry."""
    fields = [("Impersonate-User", f"agent:{agent.issuer}:{agent.subject}")]
    fields += [("Impersonate-Group", f"agent:{group}") for group in agent.groups]
    for _, value in fields:
        if not value.isascii() or not value.isprintable():
            raise ValueError("the agent's name cannot be written into a header")
    return tuple(fields)
