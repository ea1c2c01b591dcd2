"""Law: what rules did is counted once for each call; a rule in shadow is told of as if it were in force, alone."""

from policy.history.using import shadows, use
from tests.policy.history.recorded import JSON, call, engine

RULES = """
- {name: read, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/customers/**"]}}
- {name: write, effect: allow, http: {targets: [crm], methods: [POST], paths: ["/**"]}, when: body.amount < 10}
- {name: nobody, effect: deny, http: {targets: [crm], paths: ["/never"]}}
- {name: soon, effect: deny, mode: shadow, http: {targets: [crm], paths: ["/customers/8"]}}
- {name: hide, effect: constrain, mode: shadow, http: {targets: [crm], paths: ["/customers/7"]}, mask: {profiles: [pii]}}
- {name: open, effect: allow, mode: shadow, http: {targets: [crm], methods: [GET], paths: ["/else"]}}
- {name: big, effect: deny, mode: shadow, http: {targets: [crm], methods: [POST]}, when: body.amount > 5}
"""
CALLS = [
    call("/customers/7", time=10.0),
    call("/customers/8", time=20.0, decision="dec_8"),
    call("/else"),
    call("/a", method="POST", body=b'{"amount": 7}', headers=JSON),
    call("/a", method="POST", body=b'{"amount": 77}', headers=JSON),
    call("/a", method="POST", body=b'{"amount": "x"}', headers=JSON, hidden={"body": (("amount",),)}),
    call("/a", revision="", code="malformed"),
    call("/a", input=None),
]


def test_coverage() -> None:
    """Matched, true, false, error, unclear, decided; first and last."""
    uses = use(engine(RULES), CALLS)
    read, write = uses.rules["read"], uses.rules["write"]  # type: ignore[index]
    assert (read.coverage.matched, read.coverage.true, read.decided) == (2, 2, 2)
    assert (read.matched.first, read.matched.last) == (10.0, 20.0)
    assert (write.coverage.matched, write.coverage.true, write.coverage.false, write.unclear) == (2, 1, 1, 1)
    assert (uses.calls, uses.unjudged, sum(uses.unread.values())) == (8, 1, 1)


def test_unused() -> None:
    """Rules that nothing matched; one that may have matched is none of them."""
    assert use(engine(RULES), CALLS).unused == ["nobody"]
    assert "write" not in use(engine(RULES), CALLS[5:6]).unused


def test_shadow() -> None:
    """What each would have changed, with an example."""
    found = {each.rule: each for each in shadows(engine(RULES), CALLS)}
    assert found["soon"].changes == {("allow", "deny"): 1}  # type: ignore[index]
    assert found["soon"].examples == {("allow", "deny"): "dec_8"}  # type: ignore[index]
    assert found["hide"].obligations == {"mask": 1}  # type: ignore[index]
    assert found["open"].changes == {("deny", "allow"): 1}  # type: ignore[index]
    assert (found["big"].changes, found["big"].unclear) == ({("allow", "deny"): 1}, 1)  # type: ignore[index]
    assert found["big"].matched.calls == 2  # type: ignore[index]
