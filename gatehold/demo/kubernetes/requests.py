"""One request as the API sees it: what it is for (apiserver's RequestInfo), its query, headers and body."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.identities import OWNER, Identity
from gatehold.demo.kubernetes.resources import Resource, Subresource, find

FALSE = frozenset({"false", "0"})


class Query:
    """Query parameters as Go reads them: the first of several values counts, a `;` spoils its pair."""

    def __init__(self, text: str) -> None:
        pairs = [pair for pair in text.split("&") if ";" not in pair]
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl("&".join(pairs), keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    def first(self, name: str) -> str:
        """The first value, empty if there is none."""
        return self.all(name)[0] if name in self._values else ""

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def flag(self, name: str) -> bool:
        """Present with anything but `false` or `0`."""
        return name in self._values and self.first(name).lower() not in FALSE

    def number(self, name: str) -> int | None:
        """An integer; raises ApiError (400) if it is none."""
        text = self.first(name)
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error

    def __contains__(self, name: str) -> bool:
        return name in self._values


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path names."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watched: bool = False
    """Whether the path is of the old form `/watch/`."""
    rest: str = ""
    """What follows `/proxy`."""

    @property
    def described(self) -> Subresource:
        """The row of the subresource; raises ApiError (404)."""
        found = self.resource.subresources.get(self.subresource)
        if found is None:
            raise statuses.no_such_resource()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request for a resource."""

    method: str
    target: Target
    query: Query
    headers: dict[str, str] = field(repr=False)
    """Names in lower case; the first of several values."""
    body: bytes = field(default=b"", repr=False)
    identity: Identity = OWNER
    """Who makes it."""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def patch_type(self) -> str:
        """What kind of patch the body is; compared exactly, as the server does."""
        return self.content_type.partition(";")[0]

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "*/*")

    @property
    def manager(self) -> str:
        """Who gets the fields that this request sets: the parameter, else the client's name."""
        agent = self.headers.get("user-agent", "unknown")
        return self.query.first("fieldManager") or agent.partition("/")[0][:128]


def parse_target(path: str) -> Target | None:
    """The resource that a decoded path names, None for any other path.

    Slashes are trimmed at both ends only: an empty segment inside counts, `/api/v1/namespaces//pods` names the pods
    of all namespaces.
    """
    prefix, *parts = path.strip("/").split("/")
    if prefix == "api":
        parts = ["", *parts]
    elif prefix != "apis":
        return None
    if len(parts) < 3:
        return None
    group, version, *rest = parts
    watched = rest[0] == "watch"
    return _target(group, version, rest[1:] if watched else rest, watched=watched)


def _target(group: str, version: str, rest: list[str], *, watched: bool) -> Target | None:
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *more = [*rest, "", "", ""][: max(3, len(rest))]
    resource = find(group, version, plural)
    if resource is None or (namespace and not resource.namespaced) or (more and subresource != "proxy"):
        return None
    return Target(
        resource=resource,
        namespace=namespace,
        name=name,
        subresource=subresource,
        watched=watched,
        rest="/".join(more),
    )
