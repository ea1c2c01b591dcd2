"""Issuers whose tokens anybody can get for any audience.

Where the one who asks for a token also chooses its audience, the audience proves nothing: any CI job or pod of the
world could get a token for this gateway. Such issuers need ``require``, which ties tokens to an owner.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

_OPEN_AUDIENCE = re.compile(
    r"token\.actions\.githubusercontent\.com|accounts\.google\.com|gitlab\.com|gitlab\..+|oidc\.circleci\.com"
    r"|agent\.buildkite\.com|kubernetes\.default(\.svc.*)?|oidc\.eks\..+|container\.googleapis\.com|.+\.oic\..+"
)
"""Hosts of issuers (CI services, projected Kubernetes tokens) whose requesters choose the audience."""

_ANYBODYS = frozenset(
    (
        *("iss", "aud", "exp", "nbf", "iat", "jti", "email_verified"),
        *("ref", "ref_type", "ref_path", "ref_protected", "base_ref", "head_ref", "sha", "event_name", "workflow"),
        *("environment", "environment_protected", "runner_environment", "runner_id", "job_id", "pipeline_source"),
    )
)
"""Claims that an owner shares with everybody else."""
_EVERYONES = re.compile(r"^(repo:|repository:|project_path:|organization:|system:serviceaccounts?:)")
"""How the subjects of one issuer all begin."""
_ADDRESS = re.compile(r"[^@]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def chooses_audience(issuer: str) -> bool:
    """Does whoever asks this issuer for a token choose its audience?"""
    parts = _split(issuer if "://" in issuer else f"https://{issuer}")
    host = (parts.hostname or "") if parts else ""
    # GitHub Enterprise Server and self-hosted GitLab have hosts of any name; the former is known by its path.
    return bool(_OPEN_AUDIENCE.fullmatch(host)) or (parts is not None and parts.path.startswith("/_services/token"))


def tied(require: Mapping[str, Iterable[str]]) -> bool:
    """Do the claims that are required tie tokens to an owner: is there one none of whose globs is everybody's?"""
    return any(
        claim.rpartition("/")[2] not in _ANYBODYS and all(map(_names_somebody, patterns))
        for claim, patterns in require.items()
    )


def _names_somebody(pattern: str) -> bool:
    """Nobody's name begins with what anybody may choose; an address ends in what nobody may."""
    own = _EVERYONES.sub("", pattern)
    return own[:1].isalnum() or bool(_ADDRESS.fullmatch(own))


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
