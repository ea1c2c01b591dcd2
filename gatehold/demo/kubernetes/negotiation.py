"""What form of answer a client accepts (k8s.io/apiserver/pkg/endpoints/handlers/negotiation).

The double writes JSON only. Clients that prefer protobuf list JSON as well; one that takes nothing else gets 406.
"""

from dataclasses import dataclass, field
from typing import Literal

from gatehold.demo.kubernetes import statuses

WRITTEN = "application/json"
MEDIA_TYPES = frozenset({WRITTEN, "application/*", "*/*"})
META = "meta.k8s.io"

type Form = Literal["plain", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The first clause of an Accept header that the server can fulfil."""

    form: Form = "plain"
    version: str = "v1"
    """Version of meta.k8s.io, for the transformed forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of an Accept header."""

    media_type: str
    parameters: dict[str, str] = field(default_factory=dict)


def negotiate(accept: str) -> Accepted:
    """Which form to write; raises ApiError (406)."""
    for clause in clauses(accept):
        if clause.media_type not in MEDIA_TYPES:
            continue
        wanted = clause.parameters.get("as")
        if not wanted:
            return Accepted()
        version = clause.parameters.get("v", "")
        if clause.parameters.get("g") == META and version in ("v1", "v1beta1") and wanted in FORMS:
            return Accepted(form=FORMS[wanted], version=version)
    raise statuses.not_acceptable(f"{WRITTEN}, application/json;as=Table;g={META};v=v1")


FORMS: dict[str, Form] = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadataList",
}


def clauses(accept: str) -> list[Clause]:
    """The clauses of an Accept header, in order (weights are ignored, as clients of Kubernetes send none)."""
    found = []
    for text in (accept or "*/*").split(","):
        media_type, *rest = (part.strip() for part in text.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        found.append(Clause(media_type=media_type.lower(), parameters=parameters))
    return found
