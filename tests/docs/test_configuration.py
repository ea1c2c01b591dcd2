"""Law: the configuration page has a row for each key of each document, with the default that it has, and no other row."""

import re
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gatehold.config import (
    channels,
    console,
    credential_sources,
    credentials,
    exchange,
    gateway,
    issuers,
    recordings,
    target,
)
from masking.profiles import ner_spec, restore_spec
from masking.profiles import spec as profiles
from policy import packs
from policy.rules import schema
from policy.rules.quantities import parse_duration, parse_size
from tests.docs.pages import DOCS

SECTIONS: dict[str, tuple[type[BaseModel], ...]] = {
    "spec of a Gateway": (gateway.GatewaySpec,),
    "packs[]": (schema.PackUse,),
    "listen[]": (gateway.ListenSpec,),
    "identity": (issuers.IdentitySpec,),
    "identity.saml[]": (exchange.SamlSpec,),
    "identity.saml[].claims": (exchange.SamlClaimsSpec,),
    "identity.exchange": (exchange.ExchangeSpec,),
    "identity.issuers[]": (issuers.IssuerSpec,),
    "identity.issuers[].jwks": (issuers.JwksSpec,),
    "identity.issuers[].claims": (issuers.ClaimsSpec,),
    "identity.issuers[].groups": (issuers.GroupsSpec,),
    "store": (gateway.StoreSpec,),
    "approvals": (gateway.ApprovalsSpec,),
    "recordings": (recordings.RecordingsSpec,),
    "recordings.rollover": (recordings.RolloverSpec,),
    "recordings.objectStore": (recordings.ObjectStoreSpec,),
    "audit": (recordings.AuditSpec,),
    "audit.sinks[]": (recordings.SinkSpec,),
    "audit.sinks[].syslog": (recordings.SyslogSpec,),
    "audit.sinks[].webhook": (recordings.SinkWebhookSpec,),
    "audit.anchors[]": (recordings.AnchorSpec,),
    "reload": (recordings.ReloadSpec,),
    "console": (console.ConsoleSpec,),
    "console.login": (console.LoginSpec,),
    "console.login.oidc": (console.OidcSpec,),
    "console.session": (console.SessionSpec,),
    "agentApi": (gateway.AgentApiSpec,),
    "notify[]": (channels.NotifySpec,),
    "notify[].for": (channels.NotifyForSpec,),
    "notify[].webhook": (channels.WebhookSpec,),
    "notify[].slack": (channels.SlackSpec,),
    "limits": (gateway.LimitsSpec,),
    "spec of a Target": (target.TargetSpec,),
    "mask of a Target": (target.TargetMaskSpec,),
    "tls": (target.TlsSpec,),
    "credential": (credentials.CredentialSpec,),
    "credential.basic": (credentials.BasicSpec,),
    "credential.aws": (credentials.AwsSpec,),
    "credential.clientCertificate": (credentials.ClientCertificateSpec,),
    "credential.kubernetes": (credentials.KubernetesCredentialSpec,),
    "credential.kubernetes.serviceAccount": (credentials.ServiceAccountSpec,),
    "credential.from": (credential_sources.FromSpec,),
    "credential.from.vault": (credential_sources.VaultSpec,),
    "credential.from.vault.auth": (credential_sources.VaultAuthSpec,),
    "credential.from.vault.auth.approle": (credential_sources.AppRoleSpec,),
    "credential.from.vault.auth.kubernetes": (credential_sources.VaultKubernetesSpec,),
    "credential.from.exec": (credential_sources.ExecSpec,),
    "credential.from.oauth": (credential_sources.OAuthClientSpec,),
    "credential.from.exchange": (credential_sources.ExchangedSpec,),
    "credential.from.githubApp": (credential_sources.GitHubAppSpec,),
    "paths": (target.PathsSpec,),
    "spec of a MaskProfile": (profiles.MaskProfileSpec,),
    "entities": (profiles.EntitySpec,),
    "keys[]": (profiles.KeySpec,),
    "paths[]": (profiles.PathSpec,),
    "kinds[]": (profiles.KindSpec,),
    "restore[]": (restore_spec.RestoreSpec,),
    "ner": (ner_spec.NerSpec,),
    "cases[]": (schema.CaseSpec,),
    "cases[].agent": (schema.CaseAgent,),
    "cases[].request": (schema.CaseRequest,),
    "cases[].request.objects": (schema.CaseObjects,),
    "cases[].expect": (schema.CaseExpectation,),
}
"""Heading of a section to what it documents."""
RULE = (
    schema.RuleSpec,
    schema.AgentsSpec,
    schema.HttpSpec,
    schema.KubernetesSpec,
    schema.ApprovalSpec,
    schema.LimitSpec,
    schema.MaskSpec,
    schema.DlpSpec,
    schema.SessionSpec,
    schema.CaseDlp,
    target.TargetDlpSpec,
    schema.WindowSpec,
)

_ROW = re.compile(r"^\| (`[^|]+`) \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)


def rows(heading: str) -> dict[str, str]:
    """Key to default of one section's table."""
    text = (DOCS / "configuration.md").read_text()
    found = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading}"
    return {key.strip("`"): default for key, default in _ROW.findall(found[1])}


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the key that documents use."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def agrees(told: str, field: FieldInfo) -> bool:
    """Does the default that is told match the one that the model has? What is made by a function is told in words."""
    if field.is_required():
        return told == "required"
    if field.default_factory is not None or isinstance(field.default, BaseModel):
        return told not in ("", "required")
    return any(_read(told, parse) == field.default for parse in _PARSERS)


def _read(told: str, parse: Any) -> Any:
    try:
        return parse(told)
    except (ValueError, KeyError):
        return ...


_WORDS: dict[str, Any] = {"none": None, "true": True, "false": False}
_PARSERS = (
    str,
    int,
    float,
    parse_duration,
    parse_size,
    _WORDS.__getitem__,
    lambda told: () if told == "none" else ...,
    lambda told: "" if told == "none" else ...,
)


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_has_a_row(heading: str) -> None:
    """The same keys, the same defaults."""
    told = rows(heading)
    known = {key: field for model in SECTIONS[heading] for key, field in fields(model).items()}
    assert set(told) == set(known)
    assert [key for key, field in known.items() if not agrees(told[key], field)] == []


@pytest.mark.parametrize("model", RULE, ids=[model.__name__ for model in RULE])
def test_every_key_of_a_rule_is_in_the_policy_page(model: type[BaseModel]) -> None:
    """Each as a row of a table."""
    told = {key for cell in re.findall(r"^\| (`.+?) \|", (DOCS / "policy.md").read_text(), re.MULTILINE)
            for key in re.findall(r"`(\w+)`", cell)}  # fmt: skip
    assert set(fields(model)) <= told


def test_every_model_is_documented() -> None:
    """A part of a document that is added is added to the page as well."""
    known = {model for models in SECTIONS.values() for model in models} | set(RULE)
    modules = (console, credential_sources, gateway, issuers, target, profiles, schema)
    told = {model for module in modules for model in vars(module).values()
            if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
            and model.__name__.endswith("Spec")}  # fmt: skip
    assert told <= known


def test_every_pack_is_in_the_policy_page() -> None:
    """Packs are found by reading."""
    text = (DOCS / "policy.md").read_text()
    assert all(f"| `{name}` |" in text for name in packs.names())
