"""Law: an agent is a user of the cluster under our prefix, and no claim becomes anything else."""

import pytest

from gatehold.credentials.impersonation import impersonation
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId


def _agent(subject: str = "a1", groups: tuple[str, ...] = ()) -> Agent:
    return Agent(issuer="corp", subject=subject, groups=groups, session=SessionId("s"))


def test_names_are_prefixed() -> None:
    """Users by their issuer, groups too."""
    assert impersonation(_agent(groups=("planners", "masters"))) == (
        ("Impersonate-User", "agent:corp:a1"),
        ("Impersonate-Group", "agent:planners"),
        ("Impersonate-Group", "agent:masters"),
    )


@pytest.mark.parametrize("name", ["system:masters", "system:admin", "System:masters", "system:"])
def test_what_kubernetes_keeps_to_itself_is_refused(name: str) -> None:
    """Also under our prefix."""
    _assert_refused(name, "system:")


@pytest.mark.parametrize("name", ["a\r\nImpersonate-Group: x", "a\x00", "jürgen", "a\u202e", "a\tb"])
def test_what_no_header_can_carry_is_refused(name: str) -> None:
    """Never cut, never encoded into something else."""
    _assert_refused(name, "header")


@pytest.mark.parametrize("name", ["", " ", "planners ", " planners", "planners\t"])
def test_what_a_server_would_trim_is_refused(name: str) -> None:
    """Trimmed it would be another user or group."""
    _assert_refused(name, "spaces")


def _assert_refused(name: str, why: str) -> None:
    for agent in (_agent(subject=name), _agent(groups=("fine", name))):
        with pytest.raises(Refusal, match=why) as refusal:
            impersonation(agent)
        assert refusal.value.code is Code.MALFORMED
