"""Law: an agent is a user of the cluster under our prefix, and no claim becomes anything else."""

import pytest

from gatehold.credentials.impersonation import impersonation
from policy.model import Agent, SessionId


def _agent(subject: str = "a1", groups: tuple[str, ...] = ()) -> Agent:
    return Agent(issuer="corp", subject=subject, groups=groups, session=SessionId("s"))


def test_names_are_prefixed() -> None:
    """Groups too: ``system:masters`` of an identity provider is not the cluster's."""
    assert impersonation(_agent(groups=("planners", "system:masters"))) == (
        ("Impersonate-User", "agent:corp:a1"),
        ("Impersonate-Group", "agent:planners"),
        ("Impersonate-Group", "agent:system:masters"),
    )


@pytest.mark.parametrize("name", ["a\r\nImpersonate-Group: x", "a\x00", "jürgen"])
def test_what_no_header_can_carry_is_refused(name: str) -> None:
    """Never cut, never encoded into something else."""
    with pytest.raises(ValueError, match="header"):
        impersonation(_agent(subject=name))
    with pytest.raises(ValueError, match="header"):
        impersonation(_agent(groups=(name,)))
