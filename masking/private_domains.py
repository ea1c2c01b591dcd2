"""Domains that are nobody's in public, and hold mailboxes all the same: ``corp.example``, ``mail.internal``.

Presidio takes for an address what ends in a public suffix. What a company calls its own machines and people by does
not, and its addresses are those of people no less. The endings are a list and not "any": ``logo@2x.png``,
``getty@tty1.service`` and ``left-pad@1.3.0`` have the form of addresses too.
"""

import re

ENDINGS = frozenset(
    {
        # RFC 2606 and RFC 6761: never delegated.
        "example", "invalid", "localhost", "test",
        # RFC 6762: multicast DNS, and the domain of a cluster.
        "local",
        # RFC 6762, appendix G: in use on private networks.
        "corp", "home", "internal", "intranet", "lan", "private",
        # RFC 9476: other systems of names.
        "alt",
        # Never delegated either, by resolution of ICANN, together with corp and home.
        "mail",
        # Not reserved, not delegated, and in wide use.
        "intern", "intra", "localdomain",
    }
)  # fmt: skip
"""Last labels, in lower case. ``onion`` and ``home.arpa`` are public suffixes to the list in use."""

_VERSION = re.compile(r"[vV]?[0-9]+\.[0-9]")


def is_private(domain: str) -> bool:
    """Whether a domain is one that only a private network knows.

    ``package@1.2.3-beta.local`` names a version and no domain.
    """
    names, _, ending = domain.rpartition(".")
    return bool(names) and ending.lower() in ENDINGS and _VERSION.match(names) is None
