"""What verified claims make of an agent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.claims import LEEWAY, agent_of, session_id
from gatehold.identity.issuers import Issuer, globs
from gatehold.identity.jose import UnverifiedToken
from gatehold.identity.paths import lookup
from policy.errors import Refusal
from policy.model import Agent

NOW = 1_800_000_000.0


def agent(issuer: dict[str, Any] | None = None, signed: bytes = b"h.p", **changes: Any) -> Agent:
    """The agent of a payload; a claim given as ``...`` is left out."""
    payload = {"aud": "gatehold", "sub": "a1", "exp": NOW + 600, **changes}
    payload = {name: value for name, value in payload.items() if value is not ...}
    token = UnverifiedToken(algorithm="EdDSA", key_id=None, payload=payload, signed=signed, signature=b"s")
    settings: dict[str, Any] = {"name": "corp", "url": "u", "audience": "gatehold", "algorithms": frozenset({"EdDSA"})}
    return agent_of(Issuer(**{**settings, **(issuer or {})}), token, now=NOW)


@pytest.mark.parametrize(
    ("path", "claims", "groups"),
    [
        ("groups", {"groups": ["b", "a", "b"]}, ("a", "b")),
        ("groups", {"groups": "one"}, ("one",)),
        ("groups", {}, ()),
        ("groups", {"groups": []}, ()),
        ("realm_access.roles", {"realm_access": {"roles": ["r"]}}, ("r",)),
        ("realm_access.roles", {"realm_access": {}}, ()),
        ("realm_access.roles", {"realm_access": "text"}, ()),
        ("https://x.example/groups", {"https://x.example/groups": ["url"]}, ("url",)),
        ("a.b", {"a.b": ["whole"], "a": {"b": ["dotted"]}}, ("whole",)),
    ],
)
def test_groups_come_from_the_claim_that_is_named(path: str, claims: dict[str, Any], groups: tuple[str, ...]) -> None:
    """By whole name first, then by dotted path; sorted, without duplicates."""
    assert agent({"groups_claim": path}, **claims).groups == groups


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5), max_size=6))
def test_groups_are_reduced_to_what_is_allowed(groups: list[str]) -> None:
    """Sorted, unique, and nothing beyond the globs, however they are given."""
    allowed = agent({"groups": globs(["a*", "?"])}, groups=groups).groups
    assert list(allowed) == sorted({group for group in groups if group.startswith("a") or len(group) == 1})


@pytest.mark.parametrize(
    ("required", "claims", "accepted"),
    [
        ({"email_verified": ["true"]}, {"email_verified": True}, True),
        ({"email_verified": ["true"]}, {"email_verified": False}, False),
        ({"level": ["3"]}, {"level": 3}, True),
        ({"repository": ["acme/*"]}, {"repository": "acme/app"}, True),
        ({"repository": ["acme/*"]}, {"repository": "acme-evil/app"}, False),
        ({"repository": ["acme/*"]}, {"repository": "x\nacme/app"}, False),
        ({"kubernetes.io.namespace": ["dev-*"]}, {"kubernetes.io": {"namespace": "dev-1"}}, False),
        ({"a.b": ["x"]}, {"a": {"b": ["y", "x"]}}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
        ({"a": ["*"]}, {}, False),
        ({"a": ["*"]}, {"a": None}, False),
        ({"a": ["[ab]"]}, {"a": "a"}, False),
        ({"a": ["[ab]"]}, {"a": "[ab]"}, True),
    ],
)
def test_required_claims(required: dict[str, list[str]], claims: dict[str, Any], *, accepted: bool) -> None:
    """Every required claim must be there and match one of its globs; only ``*`` and ``?`` are wild."""
    issuer = {"require": {path: globs(patterns) for path, patterns in required.items()}}
    if accepted:
        assert agent(issuer, **claims)
    else:
        with pytest.raises(Refusal, match="claims"):
            agent(issuer, **claims)


def test_leeway_is_for_beginnings_only() -> None:
    """``nbf`` and ``iat`` up to a minute ahead are clocks that differ; ``exp`` is exact."""
    assert agent(nbf=NOW + LEEWAY, iat=NOW + LEEWAY)
    with pytest.raises(Refusal, match="not-yet-valid"):
        agent(nbf=NOW + LEEWAY + 1)
    with pytest.raises(Refusal, match="expired"):
        agent(exp=NOW)


def test_the_end_is_the_earlier_of_exp_and_age() -> None:
    """With a maximum age a token ends no later than that after it was issued."""
    assert agent({"max_age": 300.0}, iat=NOW).expires_at == NOW + 300
    assert agent({"max_age": 900.0}, iat=NOW).expires_at == NOW + 600


def test_sessions_follow_the_claim_then_jti_then_the_token() -> None:
    """The first of them that is there decides; equal ones are one session, whatever else differs."""
    assert agent(sid="s", jti="1").session == agent(sid="s", jti="2", signed=b"x.y").session
    assert agent(jti="1").session == agent(jti="1", signed=b"x.y").session
    assert agent(signed=b"a.b").session != agent(signed=b"x.y").session
    assert (
        agent({"session_claim": "run.id"}, run={"id": 7}, sid="s").session
        == agent({"session_claim": "run.id"}, run={"id": "7"}).session
    )
    distinct = {
        agent(sid="v").session,
        agent(jti="v").session,
        agent(sid="v", sub="a2").session,
        agent(sid="w").session,
    }
    assert len(distinct) == 4


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_session_ids_are_safe_and_unambiguous(one: list[str], other: list[str]) -> None:
    """26 characters that any file name can hold; different parts never run together into the same id."""
    assert len(session_id(*one)) == 26
    assert set(session_id(*one)) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert (session_id(*one) == session_id(*other)) == (one == other)


@given(
    st.dictionaries(
        st.sampled_from(["aud", "sub", "exp", "nbf", "iat", "groups", "sid", "jti", "_claim_names"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.lists(st.text() | st.integers()),
    )
)
def test_any_claims_make_an_agent_or_a_refusal(claims: dict[str, Any]) -> None:
    """No claim of an unexpected type gets beyond this."""
    try:
        made = agent(**claims)
    except Refusal:
        return
    assert made.subject
    assert made.expires_at > NOW


def test_lookup_of_what_is_not_there() -> None:
    """A path through something that is no object leads nowhere, without an error."""
    nothing = lookup({}, "a.b")
    assert lookup({"a": [1]}, "a.0") is nothing
    assert lookup({"a": {"b": None}}, "a.b") is None


@pytest.mark.parametrize("claim", ["azp", "client_id", "appid", "cid"])
def test_clients_are_those_that_are_listed(claim: str) -> None:
    """By whichever claim an issuer names them; without a list any client, or none, will do."""
    clients = {"clients": globs(["runner", "ci-*"])}
    assert agent(clients, **{claim: "runner"})
    assert agent(clients, **{claim: "ci-7"})
    assert agent({}, **{claim: "browser"})
    for wrong in ("browser", "Runner", "runner ", None, 7, ["runner"], ""):
        with pytest.raises(Refusal, match="wrong-client"):
            agent(clients, **{claim: wrong})


@given(st.dictionaries(st.sampled_from(["azp", "client_id", "appid", "cid"]), st.sampled_from(["a", "b"])))
def test_one_client_that_is_not_listed_is_enough(named: dict[str, str]) -> None:
    """A token made for two clients is not the listed one's alone."""
    if named and "b" not in named.values():
        assert agent({"clients": globs(["a"])}, **named)
    else:
        with pytest.raises(Refusal, match="wrong-client"):
            agent({"clients": globs(["a"])}, **named)


def test_subject_and_purpose_come_from_the_claims_that_are_named() -> None:
    """The subject must be there; without a purpose there is none."""
    issuer = {"subject_claim": "oid", "purpose_claim": "task.name"}
    made = agent(issuer, oid="o1", task={"name": "nightly report"})
    assert (made.subject, made.purpose) == ("o1", "nightly report")
    assert agent(issuer, oid="o1").purpose == ""
    assert agent({}, purpose="unasked").purpose == ""
    with pytest.raises(Refusal, match="claims"):
        agent(issuer, sub="a1")


def test_subjects_of_tenants_are_told_apart() -> None:
    """Two tenants of one name here may have the same subject: neither agent nor session is the other's."""
    one, two = (agent({"pinned": {"tid": tenant}}, tid=tenant, sid="s") for tenant in ("t1", "t2"))
    assert (one.subject, two.subject) == ("t1/a1", "t2/a1")
    assert one.session != two.session
    with pytest.raises(Refusal, match="claims"):
        agent({"pinned": {"tid": "t1"}}, tid="t2")
    with pytest.raises(Refusal, match="claims"):
        agent({"pinned": {"tid": "t1"}}, tid=["t1"])


@pytest.mark.parametrize(
    ("path", "claims", "refused"),
    [
        ("groups", {"_claim_names": {"groups": "src1"}}, True),
        ("groups", {"_claim_names": {"groups": "src1"}, "groups": ["a"]}, True),
        ("groups", {"_claim_names": {"address": "src1"}}, False),
        ("groups", {"hasgroups": True}, True),
        ("groups", {"hasgroups": False}, False),
        ("roles", {"hasgroups": True, "_claim_names": {"groups": "src1"}}, False),
        ("realm.roles", {"_claim_names": {"realm": "src1"}}, True),
        ("/realm/roles", {"_claim_names": {"realm": "src1"}}, True),
    ],
)
def test_groups_that_are_elsewhere(path: str, claims: dict[str, Any], *, refused: bool) -> None:
    """A rule may deny by a group that such a token does not show."""
    if refused:
        with pytest.raises(Refusal, match="groups-elsewhere"):
            agent({"groups_claim": path}, **claims)
    else:
        assert agent({"groups_claim": path}, **claims)
