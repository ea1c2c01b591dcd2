"""What the server notes about each request: who made it, what for, and how it was answered."""

from dataclasses import dataclass, field

from gatehold.demo.kubernetes.identities import Identity
from gatehold.demo.kubernetes.requests import Query, Target
from gatehold.demo.kubernetes.statuses import ApiError

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What an identity wants to do, as authorization sees it."""

    identity: Identity
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One request and its answer."""

    audit_id: str
    method: str
    uri: str
    """As it came in, with its query."""
    code: int
    """Of the answer; 101 for a stream that was opened."""
    identity: Identity | None
    """None where nobody was let in."""
    attributes: Attributes | None
    """None for what names no resource, or nobody was let in."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """All but the credential, names in lower case."""

    @property
    def user(self) -> str:
        return self.identity.user if self.identity else "system:anonymous"

    @property
    def groups(self) -> tuple[str, ...]:
        return self.identity.groups if self.identity else ()

    @property
    def verb(self) -> str:
        """For what names no resource the method in lower case."""
        return self.attributes.verb if self.attributes else self.method.lower()

    def header(self, name: str) -> str | None:
        """The first value of a header, None if it was not sent."""
        return next((value for key, value in self.headers if key == name.lower()), None)


def attributes_of(identity: Identity, method: str, target: Target, query: Query) -> Attributes:
    """What a request for a resource is (apiserver's RequestInfo)."""
    verb, name = VERBS.get(method, ""), target.name
    if target.watched:
        verb = "watch"
    elif not name and verb == "get":
        verb, name = "watch" if query.flag("watch") else "list", _selected_name(query)
    elif not name and verb == "delete":
        verb = "deletecollection"
    return Attributes(
        identity=identity,
        verb=verb,
        group=target.resource.group,
        resource=target.resource.plural,
        subresource=target.subresource,
        namespace=target.namespace,
        name=name,
    )


def forbidden(attributes: Attributes) -> ApiError:
    """What somebody is told who may not."""
    kind, group, name = attributes.resource, attributes.group, attributes.name
    resource = f"{kind}/{attributes.subresource}" if attributes.subresource else kind
    what = f"{kind}.{group}" if group else kind
    what += f' "{name}"' if name else ""
    where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    why = f'User "{attributes.identity.user}" cannot {attributes.verb} resource "{resource}" in API group "{group}"'
    details = {"name": name, "group": group, "kind": kind}
    given = {key: text for key, text in details.items() if text}
    return ApiError(403, "Forbidden", f"{what} is forbidden: {why} {where}", given)


def _selected_name(query: Query) -> str:
    """The name that a field selector asks for."""
    for term in query.first("fieldSelector").split(","):
        path, _, value = term.partition("=")
        if path == "metadata.name" and value:
            return value.removeprefix("=")
    return ""
