"""An issuer as the verifier needs it: what its tokens must say, made once from the configuration."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.keyset import FITTING, SYMMETRIC

type Globs = tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who may assert identities here, and which ones."""

    name: str
    """As the configuration and ``Agent.issuer`` call it."""
    url: str
    """The exact value of ``iss``."""
    audience: str
    algorithms: frozenset[str]
    groups_claim: str = "groups"
    session_claim: str = "sid"
    groups: Globs | None = None
    """Groups that it may assert; None: any."""
    require: Mapping[str, Globs] = field(default_factory=dict)
    """Claim path -> globs, of which its value must match one."""
    max_age: float | None = None
    """Seconds since ``iat`` for which a token is good; None: until ``exp``."""


def issuers_of(specs: Iterable[IssuerSpec]) -> tuple[Issuer, ...]:
    """The issuers of a configuration.

    With several of them a group counts only if its issuer lists it: one issuer could otherwise put its agents into a
    group that rules mean for another's. Raises ``ValueError`` for a combination that cannot be verified safely.
    """
    listed = tuple(specs)
    for attribute in ("name", "issuer"):
        values = [getattr(spec, attribute) for spec in listed]
        if len(set(values)) != len(values):
            raise ValueError(f"two issuers have the same {attribute}")
    return tuple(_issuer(spec, alone=len(listed) == 1) for spec in listed)


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
        groups_claim=spec.claims.groups,
        session_claim=spec.claims.session,
        groups=None if alone and not allowed else globs(allowed or ()),
        require={path: globs(patterns) for path, patterns in spec.require.items()},
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
