"""The credential of a target out of its configuration: what its source gives, put into its form."""

from dataclasses import dataclass, replace
from pathlib import Path

from gatehold.config.credentials import CredentialSpec
from gatehold.config.values import SecretRef
from gatehold.credentials.fields import Asker, Fields, FieldSource
from gatehold.credentials.injection import Bound, Injection
from gatehold.credentials.rendering import files, render
from gatehold.credentials.sources import CredentialDelayed, Files

_NOTHING = Fields(values={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The target that a credential belongs to."""

    name: str
    bound: Bound
    """The only places that the credential may go to."""
    keys: Path
    """The directory for files that it is used from."""


class SourcedCredential:
    """A ``Source`` for every form but ``kubernetes``."""

    def __init__(
        self, spec: CredentialSpec, owner: Owner, source: FieldSource | None = None, asker: Asker | None = None
    ) -> None:
        """``source`` is that of ``spec.source``; ``asker`` for whom it is asked."""
        self._spec = spec
        self._owner = owner
        self._source = source
        self._asker = asker
        self._files = Files()
        self._proofs = Files()

    async def obtain(self) -> Injection:
        """Ask the source, resolve the templates; files are small and local."""
        self._files, self._proofs = _noted(files(self._spec)), _noted(_proofs(self._spec))
        fields = await self._source.obtain(self._asker) if self._source is not None else _NOTHING
        self._check(fields)
        owner = self._owner
        injection = render(self._spec, fields.values, bound=owner.bound, owner=owner.name, keys=owner.keys)
        self._proofs = Files()
        ends = [moment for moment in (injection.expires_at, fields.expires_at) if moment is not None]
        secrets = (*injection.secrets, *fields.secrets)
        return replace(injection, secrets=secrets, expires_at=min(ends, default=None))

    def changed(self) -> bool:
        """Whether a file that it was made of is another one now, or, if it could not be had, one that is shown for it.

        By what the gateway shows itself to a source may change as it likes: what the source gave stays good.
        """
        return self._files.changed() or self._proofs.changed()

    def _check(self, fields: Fields) -> None:
        wanted = (name for template in self._spec.templates for name in template.fields)
        for name in wanted:
            if name not in fields.values:
                raise CredentialDelayed(f"the source gives no field {name!r}")


def _proofs(spec: CredentialSpec) -> tuple[Path, ...]:
    """Files by which the gateway shows itself to the source."""
    return () if spec.source is None else (*spec.source.files, *_named(spec.source.templates))


def _named(templates: tuple[SecretRef, ...]) -> tuple[Path, ...]:
    references = (reference for template in templates for reference in template.references)
    return tuple(Path(reference.name) for reference in references if reference.kind == "file")


def _noted(paths: tuple[Path, ...]) -> Files:
    noted = Files()
    for path in paths:
        noted.note(path)
    return noted
