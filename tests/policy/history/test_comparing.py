"""Law: every call is compared or said not to be; what changes is listed, and the same policy changes nothing."""

from policy.history.comparing import LIMITED, UNFAITHFUL, Change, Comparison, Incomparable, compare
from policy.history.inputs import RecordedCall
from tests.policy.history.recorded import AT, JSON, call, engine

RULES = """
- {name: read, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/customers/**"]}}
- {name: write, effect: allow, http: {targets: [crm], methods: [POST], paths: ["/**"]}, when: body.amount < 10}
"""
OTHER = """
- {name: read-anew, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/customers/{id}"]}}
- {name: hide, effect: constrain, http: {targets: [crm], paths: ["/customers/8"]}, mask: {profiles: [pii]}}
- {name: ask, effect: allow, http: {targets: [crm], methods: [POST], paths: ["/**"]}, approval: {groups: [sre]}}
"""
HIDDEN = call("/a", method="POST", body=b'{"amount": 1}', headers=JSON, hidden={"body": (("amount",),)})
POST = call("/a", method="POST", body=b'{"amount": 1}', headers=JSON)


def compared(
    one: str, other: str, *calls: RecordedCall, **more: bool
) -> tuple[list[Change | Incomparable], Comparison]:
    counts = Comparison()
    return list(compare(engine(one), engine(other), calls, counts, **more)), counts


def test_what_changes() -> None:
    """Verdicts, and obligations under the same verdict; another rule alone is no change."""
    found, counts = compared(
        RULES, OTHER, call("/customers/7"), call("/customers/8"), call("/customers/8/notes"), POST, call("/x", code="x")
    )
    told = [
        (each.call.request.path, each.before.verdict.value, each.after.verdict.value, each.obligations, each.is_wider)
        for each in found
        if isinstance(each, Change)
    ]
    assert told == [
        ("/customers/8", "allow", "allow", ("mask",), False),
        ("/customers/8/notes", "allow", "deny", (), False),
        ("/a", "allow", "hold", ("approval",), False),
    ]
    assert (counts.compared, counts.changed, counts.incomparable, counts.calls) == (5, 3, 0, 5)


def test_what_cannot_be_compared() -> None:
    """Where either policy asks about something hidden; with the reason."""
    found, counts = compared(RULES, OTHER, HIDDEN, call(input=None))
    assert [type(each) for each in found] == [Incomparable, Incomparable]
    assert counts.reasons == {
        "rule write reads body, of which a part is masked": 1,
        "recorded without the input of its decision": 1,
    }
    assert not compared(OTHER, OTHER, HIDDEN)[0]


def test_calls_that_policy_did_not_see() -> None:
    """Refused before: nothing is said about them."""
    _, counts = compared(RULES, OTHER, call(revision="", code="malformed"))
    assert (counts.unjudged, counts.compared) == (1, 0)


def test_a_record_that_does_not_tell_all() -> None:
    """The policy that decided then must say the same again, or nothing can be said about another one."""
    revision = engine(RULES).revision
    found, _ = compared(RULES, OTHER, call("/customers/7", verdict="deny", code="denied-by-rule", revision=revision))
    assert [each.because for each in found if isinstance(each, Incomparable)] == [UNFAITHFUL]
    assert not compared(RULES, OTHER, call("/customers/7", verdict="allow", revision=revision))[0]


def test_limits_of_then() -> None:
    """What was refused for want of room then is not taken for a change; without limits it is not asked."""
    rules = '- {name: r, effect: allow, http: {targets: [crm], paths: ["/**"]}, limit: {calls: 1/day}}'
    revision = engine(rules).revision
    calls = [call(revision=revision, time=AT, decision="1"), call(revision=revision, time=AT + 1, decision="2")]
    found, counts = compared(rules, rules, *calls)
    assert [each.because for each in found if isinstance(each, Incomparable)] == [LIMITED]
    assert compared(rules, rules, *calls, limits=False)[1].compared == 2
    assert counts.compared == 1


def test_the_same_policy_changes_nothing() -> None:
    """Whatever the calls are."""
    found, counts = compared(OTHER, OTHER, *(call(f"/customers/{n}") for n in range(5)), POST)
    assert (found, counts.compared) == ([], 6)
