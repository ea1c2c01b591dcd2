"""What a person has before them when they answer, as one digest.

An answer says which digest it answers. It covers everything that is rendered of the approvals on the page: the calls,
bound by their fingerprints, what is shown of each, and which calls they are. One that joins later is not in it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from gatehold.approvals.model import Approval

_DOMAIN = "gatehold shown 1"


def digest(approvals: Iterable[Approval]) -> str:
    """64 hexadecimal digits, the same in whichever order the approvals come. It does not change with their states."""
    calls = sorted((_shown(approval) for approval in approvals), key=lambda shown: str(shown["id"]))
    text = json.dumps([_DOMAIN, calls], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _shown(approval: Approval) -> dict[str, Any]:
    call = approval.call
    return {
        "id": approval.id,
        "kind": call.kind,
        "fingerprint": call.fingerprint,
        "agent": [call.issuer, call.subject, call.session],
        "people": sorted(call.people),
        "purpose": call.purpose,
        "target": call.target,
        "call": [call.method, call.path],
        "facts": dict(call.facts),
        "rules": [[rule.name, rule.digest] for rule in call.rules],
        "quorum": [[sorted(groups) for groups in call.quorum.sets], call.quorum.count, call.quorum.each],
        "message": call.message,
        "change": None if call.change is None else asdict(call.change),
        "body": None if call.body is None else asdict(call.body),
        "terms": None if call.terms is None else asdict(call.terms),
    }
