import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.approvers import Quorum, is_behind, people_behind
from policy.model import Agent, ApprovalObligation, RuleName

GROUPS = st.frozensets(st.sampled_from(["sre", "security", "dba", "other"]))
SETS = st.lists(st.frozensets(st.sampled_from(["sre", "security", "dba"]), min_size=1), min_size=1, max_size=3)


def _groups(*names: str) -> frozenset[str]:
    return frozenset(names)


SRE, SECURITY, BOTH = _groups("sre"), _groups("security"), _groups("sre", "security")


@pytest.mark.parametrize(
    ("quorum", "people", "met"),
    [
        (Quorum(sets=(SRE,)), [SRE], True),
        (Quorum(sets=(SRE,)), [SECURITY], False),
        (Quorum(sets=(SRE,)), [], False),
        (Quorum(sets=(BOTH,)), [SECURITY], True),
        (Quorum(sets=(SRE,), count=2), [SRE], False),
        (Quorum(sets=(SRE,), count=2), [SRE, SRE], True),
        (Quorum(sets=(SRE,), count=2), [SRE, SECURITY], False),
        (Quorum(sets=(SRE, SECURITY)), [SRE], False),
        (Quorum(sets=(SRE, SECURITY)), [SRE, SECURITY], True),
        (Quorum(sets=(SRE, SECURITY)), [BOTH], True),
        (Quorum(sets=(SRE, SECURITY), count=2), [BOTH], False),
        (Quorum(sets=(SRE, SECURITY), count=2), [BOTH, SRE], True),
        (Quorum(sets=(SRE, SECURITY), count=2, each=2), [SRE, SECURITY], False),
        (Quorum(sets=(SRE, SECURITY), count=2, each=2), [BOTH, BOTH], True),
        (Quorum(sets=()), [BOTH], False),
        (Quorum(sets=(frozenset(),)), [BOTH], False),
        (Quorum(sets=(SRE,), count=0), [], False),
    ],
)
def test_who_is_enough(quorum: Quorum, people: list[frozenset[str]], met: bool) -> None:
    """Alternatives within a set, all sets, enough distinct people; no groups at all means nobody."""
    assert quorum.met_by(people) is met


@given(st.builds(lambda sets, count: Quorum(sets=tuple(sets), count=count), SETS, st.integers(1, 3)), st.lists(GROUPS))
def test_strangers_never_help(quorum: Quorum, people: list[frozenset[str]]) -> None:
    """Taking away those who are in no set changes nothing, and nothing is met without somebody who is."""
    members = [groups for groups in people if quorum.admits(groups)]
    assert quorum.met_by(people) == quorum.met_by(members)
    assert not (quorum.met_by(people) and len(members) < quorum.count)


@given(SETS, st.integers(1, 3), st.lists(GROUPS), GROUPS)
def test_another_yes_never_hurts(
    sets: list[frozenset[str]], count: int, people: list[frozenset[str]], new: frozenset[str]
) -> None:
    """More people are never fewer."""
    quorum = Quorum(sets=tuple(sets), count=count)
    assert not quorum.met_by(people) or quorum.met_by([*people, new])


def test_rules_that_were_joined_do_not_weaken_each_other() -> None:
    """Two of sre (one rule) and one of security (another) is not met by one of each."""
    joined = ApprovalObligation(rules=(RuleName("a"), RuleName("b")), groups=(SRE, SECURITY), count=2)
    assert not Quorum.of(joined).met_by([SRE, SECURITY])
    assert Quorum.of(joined).met_by([SRE, BOTH, SECURITY])
    single = ApprovalObligation(rules=(RuleName("a"),), groups=(SRE, SECURITY), count=2)
    assert Quorum.of(single).met_by([SRE, SECURITY])


def test_everybody_whom_the_token_names_is_behind_the_call() -> None:
    """Subject, owner, e-mail, and actors at any depth; other claims do not matter."""
    claims = {
        "owner": ["olga", {"deputy": "otto"}],
        "email": "ed@corp.example",
        "act": {"sub": "anna", "act": {"sub": "adam", "iss": "idp"}},
        "team": "alice",
        "preferred_username": 7,
        "upn": "ursula@corp.example",
    }
    people = people_behind(Agent(issuer="corp", subject="a1", claims=claims))
    assert people == {"a1", "olga", "otto", "ed@corp.example", "anna", "adam", "idp", "ursula@corp.example"}


def test_claims_of_any_depth_are_read() -> None:
    """Depth hides nobody."""
    act: object = "deep"
    for _ in range(5_000):
        act = {"act": act}
    assert "deep" in people_behind(Agent(issuer="corp", subject="a1", claims={"act": act}))


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ("alice", "alice"),
        ("Alice", "alice"),
        ("alice", "ALICE@corp.example"),
        ("alice@corp.example", "alice"),
        ("alice@one.example", "alice@two.example"),
        ("\uff41lice", "alice"),
        ("stra\u00dfe", "STRASSE"),
        (" alice", "alice "),
        ("alice", "mailto:alice@corp.example"),
        ("alice", "Alice Example <alice@corp.example>"),
        ("alice", "CORP\\alice"),
        ("alice", "alice+agent@corp.example"),
        ("alice", "al\u200bice"),
        ("alice", "Alice <mailto:ALICE+bot@corp.example> "),
    ],
)
def test_spellings_of_one_person(user: str, person: str) -> None:
    """Case, form and domain are no disguise; in doubt somebody is behind the call."""
    assert is_behind(user, [person])
    assert is_behind(person, [user])


def test_other_people_are_not_behind_it() -> None:
    """A name is compared whole; an empty one is nobody's."""
    assert not is_behind("alice", ["alicia", "bob", "", "@corp.example"])
    assert not is_behind("alice", [])
