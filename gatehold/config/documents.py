"""The kinds of documents, and the shape of each."""

from typing import Literal

from pydantic import BaseModel

from gatehold.config.console import ConsoleSpec
from gatehold.config.credentials import BasicSpec, CredentialSpec, KubernetesCredentialSpec
from gatehold.config.gateway import (
    AgentApiSpec,
    ApprovalsSpec,
    GatewaySpec,
    LimitsSpec,
    ListenSpec,
    StoreSpec,
)
from gatehold.config.issuers import IdentitySpec, IssuerSpec, JwksSpec
from gatehold.config.recordings import RecordingsSpec
from gatehold.config.shape import API_VERSION, Metadata, Part
from gatehold.config.target import TargetSpec, TlsSpec
from masking.profiles import MaskProfileSpec
from policy.rules.schema import PolicyDocument, PolicyTestDocument

__all__ = [
    "API_VERSION",
    "KINDS",
    "AgentApiSpec",
    "ApprovalsSpec",
    "BasicSpec",
    "ConsoleSpec",
    "CredentialSpec",
    "GatewayDocument",
    "GatewaySpec",
    "IdentitySpec",
    "IssuerSpec",
    "JwksSpec",
    "KubernetesCredentialSpec",
    "LimitsSpec",
    "ListenSpec",
    "MaskProfileDocument",
    "MaskProfileSpec",
    "PolicyDocument",
    "PolicyTestDocument",
    "RecordingsSpec",
    "StoreSpec",
    "TargetDocument",
    "TargetSpec",
    "TlsSpec",
]


class GatewayDocument(Part):
    """``kind: Gateway``: listeners, issuers, and where things are kept."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["Gateway"]
    metadata: Metadata
    spec: GatewaySpec


class TargetDocument(Part):
    """``kind: Target``: one registered upstream."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["Target"]
    metadata: Metadata
    spec: TargetSpec


class MaskProfileDocument(Part):
    """``kind: MaskProfile``: what is hidden in answers, and how."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["MaskProfile"]
    metadata: Metadata
    spec: MaskProfileSpec


KINDS: dict[str, type[BaseModel]] = {
    "Gateway": GatewayDocument,
    "Target": TargetDocument,
    "Policy": PolicyDocument,
    "MaskProfile": MaskProfileDocument,
    "PolicyTest": PolicyTestDocument,
}
