"""An assertion in, the agent that it stands for out.

Which provider it is from is taken from the assertion to choose the certificates, and read once more from what they
signed. A provider asserts the groups that its configuration lists, and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatehold.config.exchange import SamlSpec
from gatehold.identity.claims import MAX_GROUP, MAX_SUBJECT, session_id
from gatehold.identity.exchange import assertion as assertions
from gatehold.identity.exchange.assertion import Assertion, Attributes, Expected
from gatehold.identity.exchange.markup import decoded, parse
from gatehold.identity.exchange.signature import claimed_issuer, verified
from gatehold.identity.exchange.trusted_certificates import TrustedCertificates
from gatehold.identity.exchange.wrong import Wrong, wrong
from gatehold.identity.issuers import Globs, globs, matches
from policy.model import Agent

MAX_PURPOSE: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An assertion that was verified, but may have been used before."""

    agent: Agent
    issuer: str
    """The entity that issued it."""
    id: str
    until: float
    """Unix seconds: when it would be refused even if it were new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    spec: SamlSpec
    trusted: TrustedCertificates
    expected: Expected
    groups: Globs
    require: dict[str, Globs]


class SamlProviders:
    """Verifies the assertions of a fixed set of providers. Safe to use from any thread."""

    def __init__(self, specs: Sequence[SamlSpec]) -> None:
        """Raises ``ValueError``: two providers are alike, or one's certificates cannot be read."""
        self._providers = {spec.entity_id: _provider(spec) for spec in specs}
        if len(self._providers) != len(specs) or len({spec.name for spec in specs}) != len(specs):
            raise ValueError("two SAML providers have the same name or entityId")

    def __repr__(self) -> str:
        return f"<SamlProviders {sorted(each.spec.name for each in self._providers.values())}>"

    def __len__(self) -> int:
        return len(self._providers)

    def verify(self, text: str, *, now: float) -> Shown:
        """What an assertion in base64url says; takes some milliseconds. Raises Refusal."""
        root = parse(decoded(text))
        provider = self._providers.get(claimed_issuer(root))
        if provider is None:
            raise wrong(Wrong.UNKNOWN_ISSUER)
        signed = verified(root, provider.trusted.now(), now=now)
        found = assertions.read(signed, provider.expected, now=now)
        return Shown(
            agent=_agent(provider, found), issuer=provider.spec.entity_id, id=found.id, until=found.shown_until
        )


def _provider(spec: SamlSpec) -> _Provider:
    try:
        trusted = TrustedCertificates(spec.certificate)
    except ValueError as error:
        raise ValueError(f"SAML provider {spec.name}: {error}") from None
    expected = Expected(
        issuer=spec.entity_id,
        audience=spec.audience,
        recipient=spec.recipient,
        max_age=spec.max_age,
        names_subject=spec.claims.subject is not None,
    )
    return _Provider(
        spec=spec,
        trusted=trusted,
        expected=expected,
        groups=globs(spec.groups or ()),
        require={name: globs(patterns) for name, patterns in spec.require.items()},
    )


def _agent(provider: _Provider, found: Assertion) -> Agent:
    spec, attributes = provider.spec, found.attributes
    for name, patterns in provider.require.items():
        if not any(matches(patterns, value) for value in _values(attributes, name)):
            raise wrong(Wrong.ATTRIBUTES)
    named = spec.claims.subject
    subject = found.name if named is None else _one(attributes, named, MAX_SUBJECT)
    groups = {_checked(group, MAX_GROUP) for group in _values(attributes, spec.claims.groups)}
    purpose = "" if spec.claims.purpose is None else _optional(attributes, spec.claims.purpose)
    session = ("SessionIndex", found.session) if found.session is not None else ("ID", found.id)
    return Agent(
        issuer=spec.name,
        subject=subject,
        groups=tuple(sorted(group for group in groups if matches(provider.groups, group))),
        claims=_claims(attributes, provider, found, subject),
        session=session_id(spec.name, subject, *session),
        expires_at=found.ends,
        purpose=purpose,
    )


def _claims(attributes: Attributes, provider: _Provider, found: Assertion, subject: str) -> dict[str, Any]:
    """The attributes, and what any token says under the names by which rules and revocations know it."""
    own = {"iss": provider.spec.entity_id, "sub": subject, "iat": int(found.issued), "exp": int(found.ends)}
    return {**attributes, **own}


def _values(attributes: Attributes, name: str) -> list[str]:
    value = attributes.get(name, [])
    return [value] if isinstance(value, str) else value


def _one(attributes: Attributes, name: str, longest: int) -> str:
    value = attributes.get(name)
    if not isinstance(value, str):
        raise wrong(Wrong.SUBJECT)
    return _checked(value, longest)


def _optional(attributes: Attributes, name: str) -> str:
    return _one(attributes, name, MAX_PURPOSE) if name in attributes else ""


def _checked(text: str, longest: int) -> str:
    if not 0 < len(text) <= longest or not text.isprintable() or text != text.strip():
        raise wrong(Wrong.ATTRIBUTES)
    return text
