"""The values of ``iss`` that one issuer's tokens may have: one, or one for each tenant that is named.

``https://login.microsoftonline.com/{tid}/v2.0`` stands for one value of ``iss`` per value of the claim ``tid`` that
``require`` names. There is no value that the configuration does not spell out, and a token's claim must be the one that
its ``iss`` was made of.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product

MAX_TENANTS = 256
RESERVED = "gatehold:"
"""How ``iss`` of the gateway's own tokens begins."""
API_KEYS = "api-keys"
"""The issuer, by name, of whoever shows an API key."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_]+)\}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_template(issuer: str) -> bool:
    """Does the value of ``iss`` hold a claim's?"""
    return "{" in issuer or "}" in issuer


def check(issuer: str, require: Mapping[str, tuple[str, ...]]) -> None:
    """Raises ``ValueError`` unless every value of ``iss`` is spelled out."""
    if issuer.startswith(RESERVED):
        raise ValueError(f"`issuer`: what begins with {RESERVED} is the gateway's own")
    if not is_template(issuer):
        return
    names = _PLACEHOLDER.findall(issuer)
    if not names or is_template(_PLACEHOLDER.sub("", issuer)):
        raise ValueError("`issuer`: a placeholder is the name of a claim in braces, as in {tid}")
    count = 1
    for name in dict.fromkeys(names):
        values = require.get(name, ())
        if not values:
            raise ValueError(f"`require` is missing: it names the values of {name}, as in require: {{{name}: [...]}}")
        for value in values:
            if not _PLAIN.fullmatch(value):
                raise ValueError(f"`require`: {name} stands in `issuer`, so {value!r} must be one value")
        count *= len(values)
    if count > MAX_TENANTS:
        raise ValueError(f"`issuer` stands for more than {MAX_TENANTS} issuers")


def expanded(issuer: str, require: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each value of ``iss``, and the claims that it was made of, whose values a token must have."""
    names = list(dict.fromkeys(_PLACEHOLDER.findall(issuer)))
    for values in product(*(dict.fromkeys(require[name]) for name in names)):
        pinned = dict(zip(names, values, strict=True))
        yield _PLACEHOLDER.sub(lambda found: pinned[found[1]], issuer), pinned  # noqa: B023 - used at once
