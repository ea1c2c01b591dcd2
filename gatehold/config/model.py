"""A configuration that was read, judged and found usable. It is immutable; a change makes another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gatehold.config.gateway import GatewaySpec
from gatehold.config.target import TargetSpec
from masking.profiles import MaskProfileSpec
from policy.engine import Engine
from policy.model import DlpObligation, TargetName, TargetTraits
from policy.rules.schema import PolicyDocument, PolicyTestDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The gateway's own document."""

    name: str
    spec: GatewaySpec
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)
    """Where it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A registered upstream."""

    name: TargetName
    spec: TargetSpec
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)
    """Where its credential, or else the target itself, is written."""

    @property
    def traits(self) -> TargetTraits:
        """What policy needs to know of it."""
        mask, dlp = self.spec.mask, self.spec.dlp
        return TargetTraits(
            name=self.name,
            family=self.spec.family,
            paths=self.spec.path_options,
            mask=tuple(sorted(set(mask.profiles))) if mask else (),
            on_unmaskable=mask.on_unmaskable if mask else "block",
            dlp=None if dlp is None else DlpObligation(profiles=tuple(sorted(set(dlp.profiles))), action=dlp.action),
        )


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that the documents of one directory say."""

    directory: Path
    gateway: Gateway
    targets: Mapping[str, Target]
    policies: tuple[PolicyDocument, ...]
    """Those of the directory and those of packs, as they are used here."""
    profiles: Mapping[str, MaskProfileSpec]
    """Those of the directory; the built-in ones are not among them."""
    tests: tuple[PolicyTestDocument, ...] = field(repr=False)
    revision: str
    """SHA-256, in hexadecimal, over names and bytes of the files."""
    engine: Engine
    """Decides by these policies."""
    rule_places: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """``file:line`` of rules; of those of a pack where the pack is used."""
    files: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)
    """Name of the file in which each document stands, by kind and name."""

    @property
    def data_dir(self) -> Path:
        """Where the gateway keeps what it has to keep; absolute."""
        return self.gateway.spec.data_dir

    @cached_property
    def traits(self) -> dict[str, TargetTraits]:
        """Targets as policy sees them, by name."""
        return {name: target.traits for name, target in self.targets.items()}
