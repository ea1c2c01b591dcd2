"""Calls to a Kubernetes API server: what it takes a request for, and what is known of the object it writes.

Facts come from the request, and where it does not tell them from objects that somebody looked up (``known``). A call
may cover more than one thing (no namespace, no name) and may count as more than one verb; both are said here, and the
rules decide what follows.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from policy.actions.effects import Effect
from policy.actions.knowledge import NOTHING_KNOWN, KnownObjects
from policy.actions.patches import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from policy.actions.paths import CanonicalPath, canonical, malformed
from policy.actions.payloads import Payload, patch_type, read_payload
from policy.actions.queries import Query, check_query, read_parameters
from policy.actions.readings import Once
from policy.actions.requestinfo import VERBS, RequestInfo, first, request_info, truth
from policy.actions.scopes import CLUSTER_SCOPED
from policy.actions.wire import READ_METHODS, Headers, read_headers
from policy.model import UNKNOWN, Family, Maybe, PathOptions, TargetTraits, WireRequest

BODY_VARIABLES = frozenset({"k8s.name", "k8s.labels", "k8s.dryRun", "k8s.replicas", "k8s.images", "object"})
"""Variables for which the body may have to be read: a create has its name in it, a delete its dryRun."""

CONNECTING = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources that open a tunnel, whatever the method."""

_READ_VERBS = frozenset({"get", "list", "watch", ""})
_WRITE_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_ALWAYS_REAL = CONNECTING | {"token"}
_WITH_CONTAINER = frozenset({"exec", "attach", "log"})
_INTERACTIVE = frozenset({"exec", "attach"})
_UPGRADED = frozenset({"exec", "attach", "portforward"})
_NON_CREATING_PATCHES = frozenset({JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH})


def _camel(attribute: str) -> str:
    first_word, *words = attribute.split("_")
    return first_word + "".join(word.capitalize() for word in words)


def _by_name(prefix: str, attributes: str) -> dict[str, str]:
    """Attributes by the names that rules and the audit trail use for them."""
    return {prefix + _camel(attribute): attribute for attribute in attributes.split()}


_FACTS = _by_name(
    "",
    "verb group version resource subresource namespace name parts resource_request path field_selector label_selector"
    " replicas old_replicas dry_run command upgrade",
)
_VARIABLES = {"k8s.namespace": "_one_namespace"} | _by_name(
    "k8s.",
    "verb group version resource subresource label_selector field_selector field_manager force command container stdin"
    " tty",
)
_EFFECTS = {"oldObject": "old_object", "k8s.oldReplicas": "old_replicas"}
_BODY_EFFECTS = _EFFECTS | {"object": "object"} | _by_name("k8s.", "replicas labels images")


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesAction:
    """What one call to a Kubernetes API server asks for.

    Facts from the body (``name`` of a create, ``dry_run`` of a delete, ``replicas``, ``labels``, ``images``,
    ``object``) make it be read when they are first asked for, and then once.
    """

    family: ClassVar[Family] = Family.KUBERNETES
    method: str
    info: RequestInfo
    wire_path: str = field(repr=False)
    """Canonical path and raw query: what is matched and what is sent."""
    parameters: Query = field(repr=False)
    content_type: str = ""
    has_body: bool = False
    """Whether there is a body, be it available or not."""
    upgrade: str = ""
    """What the Upgrade header asks for."""
    payload: Once[Payload] = field(repr=False, compare=False)
    known: KnownObjects = field(default=NOTHING_KNOWN, repr=False)
    """What a look at the cluster told."""

    def knowing(self, known: KnownObjects) -> "KubernetesAction":
        """The same call, with these objects looked up."""
        return dataclasses.replace(self, known=known)

    @property
    def effect(self) -> Effect:
        """What the call does to its object."""
        return Effect(info=self.info, payload=self.payload, known=self.known)

    @property
    def verb(self) -> str:
        """As the server's: ``list``, ``deletecollection``, ...; the method in lower case for a non-resource path."""
        return self.info.verb

    @property
    def also_verbs(self) -> tuple[str, ...]:
        """Verbs that the call counts as besides its own.

        A PUT or server-side apply creates an object that is missing; so may a patch of a type not known here. exec,
        attach and portforward by GET need ``create`` on the server too. HEAD tells what GET tells. A legacy watch
        path makes a watch of any method: what writes there counts as a write as well.
        """
        verb, subresource = self.info.verb, self.info.subresource
        if not self.info.resource_request:
            return ("get",) if verb == "head" else ()
        if verb == "watch" and self.method not in READ_METHODS:
            return (VERBS.get(self.method, ""),)
        if subresource:
            return ("create",) if verb == "get" and subresource in _UPGRADED else ()
        patches = verb == "patch" and patch_type(self.content_type) not in _NON_CREATING_PATCHES
        return ("create",) if patches or verb == "update" else ()

    @property
    def group(self) -> str:
        return self.info.group

    @property
    def version(self) -> str:
        return self.info.version

    @property
    def resource(self) -> str:
        return self.info.resource

    @property
    def subresource(self) -> str:
        return self.info.subresource

    @property
    def namespace(self) -> str:
        """Of the URL; empty where it names none."""
        return self.info.namespace

    @property
    def name(self) -> Maybe[str]:
        """Of the URL, of a field selector, or of the body of a create; empty where none is named."""
        return self.payload().name if self._named_by_body else self.info.name

    @property
    def proxied_name(self) -> str:
        """The name of what a proxy speaks to, which the URL may give as ``name:port`` or ``scheme:name:port``.

        Source: k8s.io/apimachinery/pkg/util/net/port_split.go. For everything else it is the name of the URL.
        """
        if "proxy" not in {self.info.verb, self.info.subresource}:
            return self.info.name
        parts = self.info.name.split(":")
        return {2: parts[0], 3: parts[len(parts) // 2]}.get(len(parts), self.info.name)

    @property
    def parts(self) -> tuple[str, ...]:
        return self.info.parts

    @property
    def path(self) -> str:
        """Decoded; what rules for non-resource paths match."""
        return self.info.path

    @property
    def resource_request(self) -> bool:
        return self.info.resource_request

    @property
    def label_selector(self) -> Maybe[str]:
        return self.info.label_selector

    @property
    def field_selector(self) -> Maybe[str]:
        return self.info.field_selector

    @property
    def covers_all_namespaces(self) -> bool:
        """Whether the call may reach into every namespace: none is named, and the resource may live in one."""
        outside = (self.info.group, self.info.resource) in CLUSTER_SCOPED
        return self.info.resource_request and not self.info.namespace and not outside

    @property
    def covers_all_names(self) -> bool:
        """Whether the call may concern an object of any name: none is named, or it cannot be known."""
        return self.info.resource_request and (self.name is UNKNOWN or not self.name)

    @property
    def is_write(self) -> bool:
        """Whether the call may change something; every tunnel may."""
        reads = self.method in READ_METHODS and (self.info.verb in _READ_VERBS or not self.info.resource_request)
        return not reads or self.info.subresource in CONNECTING or bool(self.upgrade)

    @property
    def dry_run(self) -> Maybe[bool]:
        """Whether the server will only pretend. A delete with a body is judged by the body; tunnels and tokens are
        always real; values that the server refuses are unknown."""
        if self.info.verb not in _WRITE_VERBS or self.info.subresource in _ALWAYS_REAL:
            return False
        values = self.payload().dry_run if self._options_in_body else self.parameters.get("dryRun", ())
        if values is UNKNOWN or set(values) - {"All"}:
            return UNKNOWN
        return bool(values)

    @property
    def field_manager(self) -> str:
        return first(self.parameters, "fieldManager") if self.info.verb in _WRITE_VERBS else ""

    @property
    def force(self) -> bool:
        return self.info.verb == "patch" and truth(self.parameters, "force")

    @property
    def command(self) -> tuple[str, ...]:
        """The argument vector of an exec."""
        return self.parameters.get("command", ()) if self.info.subresource == "exec" else ()

    @property
    def container(self) -> str:
        return first(self.parameters, "container") if self.info.subresource in _WITH_CONTAINER else ""

    @property
    def stdin(self) -> bool:
        return self.info.subresource in _INTERACTIVE and truth(self.parameters, "stdin")

    @property
    def tty(self) -> bool:
        return self.info.subresource in _INTERACTIVE and truth(self.parameters, "tty")

    @property
    def replicas(self) -> Maybe[int]:
        """``spec.replicas`` after the write."""
        return self.effect.replicas

    @property
    def replicas_unchanged(self) -> bool:
        """Whether the write is known to leave ``spec.replicas`` as it is, whatever it is."""
        return self.payload().change.unchanged

    @property
    def old_replicas(self) -> Maybe[int]:
        """``spec.replicas`` before the write: 0 where the object is created."""
        return self.effect.old_replicas

    @property
    def labels(self) -> Maybe[dict[str, str]]:
        """Labels that the object will have; of a delete those that it has, of most subresources their object's."""
        return self.effect.labels

    @property
    def images(self) -> Maybe[tuple[str, ...]]:
        """Images of all containers that the object will have."""
        return self.effect.images

    @property
    def object(self) -> Maybe[dict[str, Any] | None]:
        """The object as it will be, or as a create or update sends it; None where it is deleted."""
        return self.effect.object

    @property
    def old_object(self) -> Maybe[dict[str, Any] | None]:
        """The object before the write: None where it is created."""
        return self.effect.old_object

    @property
    def object_path(self) -> str:
        """Canonical path, without query, of what is addressed: the object, or its Scale for ``/scale``."""
        return self._path_of("scale" if self.info.subresource == "scale" else "")

    @property
    def parent_path(self) -> str:
        """Canonical path, without query, of the object itself, whatever subresource is addressed."""
        return self._path_of("")

    @property
    def makes_object(self) -> bool:
        """Whether the server answers with the object as the write left it."""
        writes = self.info.resource_request and self.info.verb in {"create", "update", "patch"}
        return writes and self.info.subresource not in CONNECTING

    @property
    def is_malformed(self) -> bool:
        """Whether the body has no single meaning: a text with a key twice, cut short, of a type that no API takes.

        What a proxy carries on is not the API server's to read.
        """
        reads = self.has_body and self.info.resource_request and self.info.verb in _WRITE_VERBS
        return reads and self.info.subresource not in CONNECTING and self.payload().malformed

    def body_reason(self) -> str:
        """Why the body's facts are unknown, for the audit trail; empty where they are known."""
        return self.payload().reason

    def facts(self) -> dict[str, Any]:
        """For explanations and the audit trail; what is unknown says so."""
        facts = ((name, getattr(self, attribute)) for name, attribute in _FACTS.items())
        return {name: "unknown" if value is UNKNOWN else _json(value) for name, value in facts}

    def variables(self, body: bool) -> dict[str, Any]:
        """The CEL variables that are known, under their dotted names.

        The namespace and name of a call that covers several are not bound: no comparison with one of them would be
        true of all. Without ``body`` nothing that needs the body is there, and it is not read.
        """
        attributes = dict(_VARIABLES)
        if body or not self._named_by_body:
            attributes["k8s.name"] = "_one_name"
        if body or not self._options_in_body:
            attributes["k8s.dryRun"] = "dry_run"
        values = [(name, getattr(self, attribute)) for name, attribute in attributes.items()]
        effect = self.effect
        values += [(name, getattr(effect, key)) for name, key in (_BODY_EFFECTS if body else _EFFECTS).items()]
        return {name: _json(value) for name, value in values if value is not UNKNOWN}

    @property
    def _one_namespace(self) -> Maybe[str]:
        return UNKNOWN if self.covers_all_namespaces else self.info.namespace

    @property
    def _one_name(self) -> Maybe[str]:
        return UNKNOWN if self.covers_all_names else self.name

    @property
    def _named_by_body(self) -> bool:
        return self.info.verb == "create" and not self.info.name

    @property
    def _options_in_body(self) -> bool:
        return self.has_body and self.info.verb in {"delete", "deletecollection"}

    def _path_of(self, subresource: str) -> str:
        """The path of the object, named by the path or else by the request, with one subresource or none."""
        path = self.wire_path.partition("?")[0]
        if not self.info.resource_request:
            return path
        segments = path.strip("/").split("/")
        kept = segments[: len(segments) - len(self.info.parts) + 2]
        if len(self.info.parts) < 2 and self.name is not UNKNOWN and self.name:
            kept.append(quote(self.name, safe=""))
        return "/" + "/".join([*kept, subresource] if subresource else kept)


def decode_kubernetes(traits: TargetTraits, request: WireRequest) -> KubernetesAction:
    """The action of a request; raises ``Refusal`` (malformed)."""
    headers = read_headers(request)
    content_type = _checked_content_type(headers)
    raw_path, mark, raw_query = request.path.partition("?")
    path = canonical(raw_path, _path_options(traits.paths))
    check_query(raw_query)
    parameters = read_parameters(raw_query) if raw_query else {}
    info = request_info(request.method, *_decoded(path), parameters)
    return KubernetesAction(
        method=request.method,
        info=info,
        wire_path=path.wire + mark + raw_query,
        parameters=parameters,
        content_type=content_type,
        has_body=request.body != b"",
        upgrade=headers.upgrade,
        payload=Once(lambda: read_payload(info, content_type, request.body)),
    )


def _checked_content_type(headers: Headers) -> str:
    """The content type, of headers that say nothing about who asks or how the body is encoded."""
    if any(name.startswith("impersonate-") for name in headers.names):
        malformed("an impersonation header")
    if headers.content_type is UNKNOWN:
        malformed("several content types")
    if headers.encoded:
        malformed("the body of a request to this API cannot be encoded")
    return headers.content_type


def _path_options(options: PathOptions) -> PathOptions:
    """The API server decodes before it splits: an encoded slash is a slash to it, whatever the target's options say."""
    return options if options.encoded_slash == "refuse" else dataclasses.replace(options, encoded_slash="refuse")


def _decoded(path: CanonicalPath) -> tuple[str, tuple[str, ...]]:
    """The path and its segments as the server decodes them."""
    if "%" not in path.wire:
        return path.wire, path.segments
    return unquote(path.wire), tuple(unquote(segment) for segment in path.wire.strip("/").split("/"))


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
