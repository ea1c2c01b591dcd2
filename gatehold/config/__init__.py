"""The configuration: one directory of YAML documents, read as one coherent snapshot and judged as a whole.

The law of this package: everything that is wrong is said at once, with file and line; nothing that is wrong is used.
Secrets are not read while loading, and never shown.

::

    files       directory -> bytes, as they stood at one moment
    source      bytes -> documents whose every value knows its line
    documents   the shape of each kind (gateway, issuers, target, shape, values, addresses)
    judging     a document against its shape
    references  what documents say of each other (identity_names: of issuers)
    policies    rules and packs, compiled
    loading     all of it together -> Configuration
"""

from gatehold.config.loading import load, load_profiles
from gatehold.config.model import Configuration, Gateway, Target
from policy.engine import Engine

__all__ = ["Configuration", "Gateway", "Target", "compile_engine", "load", "load_profiles"]


def compile_engine(configuration: Configuration) -> Engine:
    """The engine that decides by the policies of this configuration."""
    return configuration.engine
