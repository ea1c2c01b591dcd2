"""Laws of grants: what is live is shown, and ended by whoever is signed in; by name, on record."""

from typing import Any

from gatehold.approvals.model import Bound, GrantTerms
from gatehold.approvals.states import ApprovalState

TERMS = GrantTerms(scope="resource", seconds=900, verb="patch", resource="deployments.apps", name="prod/<b>api", bounds=(Bound(fact="k8s.replicas", value=12),))  # fmt: skip


async def test_a_grant_is_shown_and_ended(site: Any, alice: Any, ask: Any) -> None:
    """GET ends nothing; a second time there is none."""
    approval = ask(terms=TERMS)
    site.desk.approve(approval.id, "alice", channel="console")
    page = (await alice.get("/grants")).text
    for told in ("patch", "deployments.apps", "prod/&lt;b&gt;api", "k8s.replicas", "15m left"):
        assert told in page.replace("</time> left", " left")
    [grant] = {part.split("/revoke")[0] for part in page.split('action="/grants/')[1:]}
    assert (await alice.get(f"/grants/{grant}/revoke")).status_code in (404, 405)
    assert (await alice.post(f"/grants/{grant}/revoke")).headers["location"] == "/grants"
    assert "No grants." in (await alice.get("/grants")).text
    assert (await alice.post(f"/grants/{grant}/revoke")).status_code == 404
    ended = [event for event in site.events() if event["kind"] == "grant" and event["action"] == "revoke"]
    assert [event["by"] for event in ended] == ["user:alice"]


async def test_a_yes_that_was_not_used_ends_with_its_grant(site: Any, alice: Any, ask: Any) -> None:
    """Who takes access away before the agent came back does not let the one call out after all."""
    approval = ask(terms=TERMS)
    site.desk.approve(approval.id, "alice", channel="console")
    [grant] = site.desk.grants_of(approval.id)
    assert (await alice.post(f"/grants/{grant}/revoke")).status_code == 303
    assert site.desk.get(approval.id).state is ApprovalState.REVOKED
    assert not site.desk.spend(approval.id, approval.call.fingerprint)
