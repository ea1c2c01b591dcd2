"""What an agent writes to ask for access in advance: a small JSON document, read strictly."""

import re
from dataclasses import dataclass
from typing import Any, Final

from policy.access import Wish
from policy.actions.jsontext import read_json
from policy.actions.readings import Unreadable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family, RuleName, TargetName
from policy.rules.quantities import parse_duration
from policy.rules.schema import METHODS, VERBS

MOST_BYTES: Final = 16 * 1024
LONGEST_JUSTIFICATION: Final = 1000

_KEYS: Final = frozenset({"target", "rule", "verbs", "resource", "namespace", "name", "duration", "justification"})
_RESOURCE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9.-]{0,252})?(/[a-z0-9][a-z0-9-]{0,62})?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,252}")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORD: Final = re.compile(r"[!-~]{1,253}")
_PATH: Final = re.compile(r"/[!-~]{0,2047}")
_TUNNELS: Final = frozenset({"exec", "attach", "portforward", "proxy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDocument:
    """What is asked for."""

    target: str
    rule: str | None
    verbs: tuple[str, ...]
    resource: str
    namespace: str | None
    name: str
    seconds: float
    justification: str

    def wish(self, family: Family) -> Wish:
        """The calls that are meant, on a target of this family. Raises Refusal (malformed)."""
        known = METHODS if family is Family.HTTP else VERBS
        unknown = [verb for verb in self.verbs if verb not in known]
        if unknown:
            raise malformed("`verbs` names what this target does not know")
        if family is Family.HTTP:
            self._check_path()
        elif self.resource:
            self._check_resource()
        return Wish(
            target=TargetName(self.target),
            rule=None if self.rule is None else RuleName(self.rule),
            verbs=self.verbs,
            resource=self.resource,
            namespace=self.namespace,
            name=self.name,
        )

    def _check_path(self) -> None:
        if self.namespace is not None or self.name:
            raise malformed("`namespace` and `name` are for kubernetes targets; `resource` is the path")
        if self.resource and (not _PATH.fullmatch(self.resource) or set("?#%\\") & set(self.resource)):
            raise malformed("`resource` is a path, plain and without a query, or a path pattern of the rule")

    def _check_resource(self) -> None:
        if not _RESOURCE.fullmatch(self.resource):
            raise malformed("`resource` is a kind of thing, as in pods, deployments.apps or deployments.apps/scale")
        if self.resource.partition("/")[2] in _TUNNELS or "proxy" in self.verbs:
            raise malformed("tunnels cannot be asked for in advance: each is shown to people by itself")


def read(body: bytes) -> AccessDocument:
    """Raises Refusal (malformed)."""
    try:
        value = read_json(body)
    except Unreadable:
        raise malformed("the body is not JSON that can be read in one way only") from None
    if not isinstance(value, dict):
        raise malformed("the body is a JSON object")
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise malformed(f"the body has keys that are not known; there are: {', '.join(sorted(_KEYS))}")
    document = AccessDocument(
        target=_needed(value, "target", _WORD),
        rule=_text(value, "rule", _WORD),
        verbs=_verbs(value),
        resource=_plain(value, "resource", 2048),
        namespace=_text(value, "namespace", _NAMESPACE),
        name=_text(value, "name", _NAME) or "",
        seconds=_seconds(value),
        justification=_justification(value),
    )
    if bool(document.verbs) != bool(document.resource):
        raise malformed("`verbs` and `resource` stand together")
    if document.rule is None and not document.verbs:
        raise malformed("name a `rule`, or `verbs` and a `resource`")
    if (document.namespace is not None or document.name) and not document.resource:
        raise malformed("`namespace` and `name` belong to a `resource`")
    return document


def malformed(detail: str) -> Refusal:
    """A request that cannot be understood, in words without anything of it."""
    return Refusal(Code.MALFORMED, f"This request for access is malformed: {detail}.")


def _text(value: dict[str, Any], key: str, form: re.Pattern[str]) -> str | None:
    found = value.get(key)
    if key not in value:
        return None
    if not isinstance(found, str) or not form.fullmatch(found):
        raise malformed(f"`{key}` is not of the form that it must have")
    return found


def _needed(value: dict[str, Any], key: str, form: re.Pattern[str]) -> str:
    found = _text(value, key, form)
    if found is None:
        raise malformed(f"`{key}` is missing")
    return found


def _plain(value: dict[str, Any], key: str, longest: int) -> str:
    found = value.get(key, "")
    if not isinstance(found, str) or len(found) > longest or (key in value and not found):
        raise malformed(f"`{key}` is a text of at most {longest} characters")
    return found


def _verbs(value: dict[str, Any]) -> tuple[str, ...]:
    found = value.get("verbs", [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise malformed("`verbs` is a list of verbs or methods")
    if "verbs" in value and not found:
        raise malformed("`verbs` is empty")
    return tuple(sorted(set(found)))


def _seconds(value: dict[str, Any]) -> float:
    found = value.get("duration")
    try:
        if isinstance(found, str) and (seconds := parse_duration(found)) > 0:
            return seconds
    except ValueError:
        pass
    raise malformed("`duration` says how long, as in 30m")


def _justification(value: dict[str, Any]) -> str:
    found = value.get("justification")
    if not isinstance(found, str) or not found.strip() or len(found) > LONGEST_JUSTIFICATION:
        raise malformed(f"`justification` tells people why, in at most {LONGEST_JUSTIFICATION} characters")
    return found
