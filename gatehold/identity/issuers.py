"""An issuer as the verifier needs it: what its tokens must say, made once from the configuration."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gatehold.config.issuer_urls import expanded
from gatehold.config.issuers import IssuerSpec
from gatehold.identity.keyset import FITTING, SYMMETRIC, Key
from gatehold.identity.vouching import API_KEY_ISSUER, Use

type Globs = tuple[re.Pattern[str], ...]

_USES: Final[Mapping[str, frozenset[Use]]] = {
    "calls": frozenset({"calls"}),
    "exchange": frozenset({"exchange"}),
    "any": frozenset({"calls", "exchange"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who may assert identities here, and which ones."""

    name: str
    """As the configuration and ``Agent.issuer`` call it."""
    url: str
    """The exact value of ``iss``."""
    audience: str
    algorithms: frozenset[str]
    uses: frozenset[Use] = _USES["any"]
    subject_claim: str = "sub"
    groups_claim: str = "groups"
    session_claim: str = "sid"
    purpose_claim: str | None = None
    groups: Globs | None = None
    """Groups that it may assert; None: any."""
    require: Mapping[str, Globs] = field(default_factory=dict)
    """Claim path -> globs, of which its value must match one."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """Claims whose values stand in ``url``."""
    clients: Globs | None = None
    """Clients that tokens may have been made for; None: any."""
    max_age: float | None = None
    """Seconds since ``iat`` for which a token is good; None: until ``exp``."""

    def owns(self, key: Key, payload: Mapping[str, Any]) -> bool:
        """Whether a key of the set counts for a token: some keys count for one tenant of their publisher only."""
        if key.issuer is None:
            return True
        tenant = payload.get("tid")
        return key.issuer.replace("{tenantid}", tenant if isinstance(tenant, str) else "") == self.url


def issuers_of(specs: Iterable[IssuerSpec], *, others: bool = False) -> tuple[Issuer, ...]:
    """The issuers of a configuration, one for each value of ``iss``: several of one name where there are tenants.

    With several of them a group counts only if its issuer lists it: one issuer could otherwise put its agents into a
    group that rules mean for another's. ``others``: groups are given elsewhere, too, by SAML providers or with API
    keys. Raises ``ValueError`` for a combination that cannot be verified safely.
    """
    listed = tuple(specs)
    made = tuple(each for spec in listed for each in _tenants(spec, alone=len(listed) == 1 and not others))
    for attribute, values in (("name", [spec.name for spec in listed]), ("issuer", [each.url for each in made])):
        if len(set(values)) != len(values):
            raise ValueError(f"two issuers have the same {attribute}")
    if any(spec.name == API_KEY_ISSUER for spec in listed):
        raise ValueError(f"issuer {API_KEY_ISSUER}: this is the name of the gateway's own")
    return made


def _tenants(spec: IssuerSpec, *, alone: bool) -> Iterator[Issuer]:
    issuer = _issuer(spec, alone=alone)
    for url, pinned in expanded(spec.issuer, spec.require):
        yield replace(issuer, url=url, pinned=pinned)


def _issuer(spec: IssuerSpec, *, alone: bool) -> Issuer:
    algorithms = frozenset(spec.algorithms)
    if not algorithms or algorithms - FITTING.keys():
        raise ValueError(f"issuer {spec.name}: algorithms must be some of {', '.join(sorted(FITTING))}")
    if algorithms & SYMMETRIC and (algorithms - SYMMETRIC or spec.jwks.file is None or not spec.dev):
        raise ValueError(f"issuer {spec.name}: HS algorithms are for `dev` issuers with a jwks file, alone")
    allowed = spec.groups.allow
    return Issuer(
        name=spec.name,
        url=spec.issuer,
        audience=spec.audience,
        algorithms=algorithms,
        uses=_USES[spec.use],
        subject_claim=spec.claims.subject,
        groups_claim=spec.claims.groups,
        session_claim=spec.claims.session,
        purpose_claim=spec.claims.purpose,
        groups=None if alone and not allowed else globs(allowed or ()),
        require={path: globs(patterns) for path, patterns in spec.require.items()},
        clients=None if spec.clients is None else globs(spec.clients),
        max_age=spec.max_age,
    )


def globs(patterns: Iterable[str]) -> Globs:
    """``*`` any text, ``?`` one character, anything else itself; case counts."""
    return tuple(re.compile(_WILDCARD.sub(_translated, re.escape(pattern)), re.DOTALL) for pattern in patterns)


def matches(patterns: Globs, text: str) -> bool:
    """Whether one of ``patterns`` is all of ``text``."""
    return any(pattern.fullmatch(text) for pattern in patterns)


_WILDCARD = re.compile(r"\\([*?])")


def _translated(wildcard: re.Match[str]) -> str:
    return ".*" if wildcard[1] == "*" else "."
