"""A recorded call: everything that its decision was made of, and what of it is hidden.

What a flow says of itself is enough for the request. The rest stands beside it as one JSON text, the *input*: the
agent's groups and claims, when it was judged, objects that were looked up, and for each part that is not as it was
judged the places in it (``hidden``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from policy.actions.knowledge import NOTHING_KNOWN, KnownObjects
from policy.history.differences import Pointers
from policy.model import Agent, TargetName, WireRequest

PARTS: Final = ("path", "query", "headers", "body", "claims", "purpose", "old", "new", "parent")
"""What may be hidden. Places in a path are numbers of segments, in a query and in headers names."""

type Hidden = Mapping[str, Pointers]
"""Changed places by part; a part that is not in it is as it was judged."""
NOTHING_HIDDEN: Final[Hidden] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What the request does not tell of a decision's input."""

    at: float
    """When it was judged, Unix seconds."""
    groups: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Masked."""
    purpose: str = field(default="", repr=False)
    body: Literal["kept", "gone"] = "kept"
    """``gone``: policy had no body either."""
    encoding: str = ""
    """The Content-Encoding that the request stated; records have none."""
    known: KnownObjects = NOTHING_KNOWN
    """Masked."""
    hidden: Hidden = NOTHING_HIDDEN

    def to_text(self) -> str:
        """One JSON text."""
        return dated(self.undated(), self.at)

    def undated(self) -> str:
        """The text without its first member: the same for many calls of one agent."""
        objects = {name: getattr(self.known, name) for name in ("old", "new", "parent")}
        words: dict[str, Any] = {
            "groups": list(self.groups),
            "claims": dict(self.claims),
            "purpose": self.purpose,
            "body": "" if self.body == "kept" else self.body,
            "encoding": self.encoding,
            "hidden": {part: [list(place) for place in places] for part, places in self.hidden.items() if places},
        }
        kept = {key: value for key, value in words.items() if value}
        known = {name: value for name, value in objects.items() if value is None or isinstance(value, dict)}
        return json.dumps(kept | ({"objects": known} if known else {}), separators=(",", ":"))[1:]

    @classmethod
    def from_text(cls, text: str) -> "Input":
        """What ``to_text`` made. Raises ValueError."""
        try:
            return cls._read(json.loads(text))
        except (TypeError, KeyError, AttributeError, RecursionError):
            raise ValueError("no input of a decision") from None

    @classmethod
    def _read(cls, words: dict[str, Any]) -> "Input":
        hidden = {part: tuple(tuple(place) for place in places) for part, places in words.get("hidden", {}).items()}
        if not hidden.keys() <= set(PARTS) or not isinstance(words.get("claims", {}), dict):
            raise ValueError("no input of a decision")
        return cls(
            at=float(words["at"]),
            groups=tuple(words.get("groups", ())),
            claims=words.get("claims", {}),
            purpose=words.get("purpose", ""),
            body="gone" if words.get("body") == "gone" else "kept",
            encoding=words.get("encoding", ""),
            known=KnownObjects(**words["objects"]) if "objects" in words else NOTHING_KNOWN,
            hidden=hidden,
        )


def dated(undated: str, at: float) -> str:
    """The text of an input that was judged at that time (Unix seconds)."""
    return f'{{"at":{round(at, 3)}{"" if undated == "}" else ","}{undated}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was decided then."""

    verdict: str
    code: str
    """Of the answer: an approved call has ``allowed``."""
    rule: str = ""
    revision: str = ""
    """Of the policy that decided; empty where policy was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """One call as it was recorded."""

    decision: str
    agent: Agent
    """With masked claims."""
    target: TargetName
    request: WireRequest
    """Masked; its path is the canonical one."""
    input: Input | None
    """None: recorded without, by an earlier version."""
    recorded: Recorded
    answered: int = 0
    """Bytes of the recorded answer."""
    time: float
    """When it was asked, Unix seconds."""

    @property
    def was_judged(self) -> bool:
        """Whether policy was asked, or would have been but for what was found in the request."""
        return bool(self.recorded.revision) or self.recorded.code == "dlp-blocked"

    @property
    def passed(self) -> bool:
        """Whether it went to its target."""
        return self.recorded.code == "allowed"
