from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals import grants
from gatehold.approvals.grants import CallTraits, Grant, GrantId, within
from gatehold.approvals.model import ApprovalId, Bound, GrantTerms, RuleRef
from gatehold.store import Store
from policy.model import RuleName, SessionId, TargetName

RULE = RuleRef(name=RuleName("scale"), digest="d1")
TERMS = GrantTerms(
    scope="resource",
    seconds=900.0,
    verb="patch",
    resource="apps/deployments/scale",
    name="prod/api",
    bounds=(Bound(fact="k8s.replicas", value=12), Bound(fact="k8s.dryRun", value=False)),
)
GRANT = Grant(
    id=GrantId("gr_1"),
    approval=ApprovalId("apr_1"),
    issuer="corp",
    subject="a1",
    session=SessionId("s1"),
    target=TargetName("main"),
    rules=(RULE,),
    terms=TERMS,
    created=100.0,
    expires=1_000.0,
)
CALL = CallTraits(
    issuer="corp",
    subject="a1",
    session=SessionId("s1"),
    target=TargetName("main"),
    verb="patch",
    resource="apps/deployments/scale",
    name="prod/api",
    facts={"k8s.replicas": 12, "k8s.dryRun": False},
)


def test_it_covers_the_same_again() -> None:
    """As often as needed, until it ends."""
    assert GRANT.covers(CALL, RULE, now=100.0)
    assert GRANT.covers(CALL, RULE, now=999.9)


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, issuer="other"),
        replace(CALL, subject="a2"),
        replace(CALL, session=SessionId("s2")),
        replace(CALL, session=SessionId("")),
        replace(CALL, target=TargetName("other")),
        replace(CALL, verb="delete"),
        replace(CALL, resource="apps/deployments"),
        replace(CALL, name="prod/web"),
        replace(CALL, facts={"k8s.replicas": 13, "k8s.dryRun": False}),
        replace(CALL, facts={"k8s.replicas": 12, "k8s.dryRun": True}),
        replace(CALL, facts={"k8s.replicas": 12}),
        replace(CALL, facts={"k8s.replicas": "12", "k8s.dryRun": False}),
        replace(CALL, facts={"k8s.replicas": True, "k8s.dryRun": False}),
        replace(CALL, facts={"k8s.replicas": 12, "k8s.dryRun": 0}),
    ],
)
def test_it_covers_nothing_else(call: CallTraits) -> None:
    """Another agent, session, target, verb, thing, or a fact beyond what was approved or unknown."""
    assert not GRANT.covers(call, RULE, now=500.0)


@pytest.mark.parametrize(
    ("grant", "rule", "now"),
    [
        (GRANT, RULE, 1_000.0),
        (GRANT, RULE, 99.0),
        (GRANT, replace(RULE, digest="edited"), 500.0),
        (GRANT, replace(RULE, name=RuleName("other")), 500.0),
        (replace(GRANT, revoked=400.0), RULE, 500.0),
        (replace(GRANT, session=SessionId("")), RULE, 500.0),
    ],
)
def test_it_ends(grant: Grant, rule: RuleRef, now: float) -> None:
    """By time, by revocation, and when the rule is edited."""
    call = replace(CALL, session=grant.session)
    assert not grant.covers(call, rule, now=now)


def test_a_grant_for_the_rule_covers_other_things_of_its_kind() -> None:
    """Scope ``rule``: any name, still the same verb, kind and bounds."""
    grant = replace(GRANT, terms=replace(TERMS, scope="rule"))
    assert grant.covers(replace(CALL, name="prod/web"), RULE, now=500.0)
    assert not grant.covers(replace(CALL, name="prod/web", verb="create"), RULE, now=500.0)


@given(st.integers() | st.floats(allow_nan=True), st.integers() | st.floats(allow_nan=True))
def test_numbers_are_bounded_above(limit: float, value: float) -> None:
    """Never more than the approver saw, nor below zero, where numbers mean something else; what cannot be compared is
    not within."""
    assert within(Bound(fact="n", value=limit), {"n": value}) is (0 <= value <= limit or value == limit)


@given(st.text() | st.booleans() | st.none(), st.text() | st.booleans() | st.none() | st.integers())
def test_all_else_is_equal(limit: str | bool | None, value: object) -> None:
    """Also in type: 0 is not false, and absent is not null."""
    assert within(Bound(fact="f", value=limit), {"f": value}) is (type(value) is type(limit) and value == limit)
    assert not within(Bound(fact="f", value=limit), {})


def test_revoking_nothing(store: Store) -> None:
    """An unknown grant is not revoked."""
    with store.writing() as connection:
        assert not grants.revoke(connection, "gr_none", by="user:alice", now=1.0)
