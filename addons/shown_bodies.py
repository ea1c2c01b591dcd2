"""What people are shown of a held call's body: masked, as text, and honest about what is missing."""

from gatehold.approvals.model import Body
from gatehold.config import Target
from gatehold.scrubbing import Scrubber
from gatehold.secret_bodies import is_about_secrets
from masking.errors import Unmaskable
from policy.model import Family, WireRequest

MOST_CHARACTERS = 16 * 1024
"""Of a body; the rest is counted."""

_SECRET = "the values of a Secret are not shown"  # noqa: S105 - words


def shown_body(wire: WireRequest, scrubber: Scrubber, target: Target | None) -> Body | None:
    """The body for the eyes of approvers; None where there is none. Takes long for a large one."""
    if not wire.body:
        return None
    content_type = next((value for name, value in wire.headers if name.lower() == "content-type"), "")
    size = len(wire.body)
    try:
        masked = scrubber.shown_body(wire, target)
        text = masked.body.decode("utf-8")
    except Unmaskable:
        return Body(content_type=content_type, size=size, problem="it cannot be looked through for what must be hidden")
    except UnicodeDecodeError:
        return Body(content_type=content_type, size=size, problem="it is not text")
    return Body(
        text=text[:MOST_CHARACTERS],
        content_type=content_type,
        size=size,
        masked=sum(masked.counts.values()),
        cut=max(0, len(text) - MOST_CHARACTERS),
        problem=_SECRET if _is_secret(wire, target) else "",
    )


def _is_secret(wire: WireRequest, target: Target | None) -> bool:
    return target is not None and target.spec.family is Family.KUBERNETES and is_about_secrets(wire.path)
