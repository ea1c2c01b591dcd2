"""Values with a meaning of their own: secrets and references to them, durations, sizes, paths.

A credential field holds a template: literal text with ``${env:NAME}`` and ``${file:PATH}`` in it. It is checked when
the configuration is loaded and resolved only when the credential is used. Neither the template nor what it becomes is
ever part of a message, a repr or a dump: a literal credential is as secret as a resolved one.
"""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, ValidationInfo
from pydantic import WithJsonSchema as Schema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from policy.errors import GateholdError
from policy.rules.quantities import parse_duration, parse_size

HIDDEN = "***"
MAX_SECRET = 64 * 1024
"""Bytes that one referenced file may have."""

_REFERENCE = re.compile(r"\$\{(env|file|from):([^${}]+)\}")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class CredentialUnavailable(GateholdError):
    """A credential cannot be had now; the message names the variable or file, never a value."""


class Secret:
    """A text that shows itself to nobody who does not ask for it by ``reveal()``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the moment of its use."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _hidden_text(lambda value, _info: value if isinstance(value, Secret) else Secret(value))


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${env:NAME}``, ``${file:PATH}`` or ``${from:FIELD}``."""

    kind: Literal["env", "file", "from"]
    name: str
    """The variable, the absolute path, or the field of the credential's source."""

    def __str__(self) -> str:
        return f"${{{self.kind}:{self.name}}}"

    def read(self, environ: Mapping[str, str], fields: Mapping[str, Secret]) -> str:
        """What it stands for now; a file's closing line break is no part of it."""
        value = self._value(environ, fields)
        if not value:
            raise CredentialUnavailable(f"{self} is {'not set' if value is None else 'empty'}")
        if _CONTROL.search(value):
            raise CredentialUnavailable(f"{self} holds a line break, control character or invalid text")
        return value

    def _value(self, environ: Mapping[str, str], fields: Mapping[str, Secret]) -> str | None:
        match self.kind:
            case "env":
                return environ.get(self.name)
            case "file":
                return _read_text(Path(self.name))
            case "from":
                return fields[self.name].reveal() if self.name in fields else None


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """The template of a credential, unresolved."""

    parts: tuple[str | Reference, ...] = field(hash=False)

    def __repr__(self) -> str:
        return HIDDEN

    @property
    def references(self) -> tuple[Reference, ...]:
        """The variables, files and fields that it needs."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it needs of the credential's source."""
        return tuple(each.name for each in self.references if each.kind == "from")

    def resolve(
        self, environ: Mapping[str, str] | None = None, *, fields: Mapping[str, Secret] | None = None
    ) -> Secret:
        """The credential as it is now. Raises ``CredentialUnavailable``."""
        known, given = os.environ if environ is None else environ, fields or {}
        return Secret("".join(part if isinstance(part, str) else part.read(known, given) for part in self.parts))

    @classmethod
    def parse(cls, template: object, base: Path) -> "SecretRef":
        """Read a template; paths are relative to ``base``. Raises ``ValueError`` that does not repeat it."""
        if not isinstance(template, str) or not template:
            raise ValueError("a credential is a non-empty text")
        if _CONTROL.search(template):
            raise ValueError("a credential cannot hold line breaks or control characters")
        return cls(tuple(_parts(template, base)))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _hidden_text(lambda value, info: value if isinstance(value, SecretRef) else cls.parse(value, base(info)))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "description": "A credential: ${env:NAME}, ${file:PATH}, text around them."}


def base(info: ValidationInfo) -> Path:
    """The directory that relative paths start from."""
    return Path((info.context or {}).get("base", "."))


def _parts(template: str, start: Path) -> list[str | Reference]:
    pieces = _REFERENCE.split(template)
    parts: list[str | Reference] = []
    for text, kind, name in zip(pieces[::3], [*pieces[1::3], ""], [*pieces[2::3], ""], strict=True):
        if "${" in text:
            raise ValueError("`${` starts ${env:NAME}, ${file:PATH} or ${from:FIELD}, nothing else")
        if kind == "env" and not _ENVIRONMENT_NAME.fullmatch(name):
            raise ValueError("${env:...} names a variable of letters, digits and _")
        parts += [text] if text else []
        parts += [Reference(kind, str(start / name) if kind == "file" else name)] if kind else []  # type: ignore[arg-type]
    return parts


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET + 1)
        if len(data) > MAX_SECRET:
            raise CredentialUnavailable(f"${{file:{path}}} is larger than {MAX_SECRET} bytes")
        return data.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise CredentialUnavailable(f"${{file:{path}}}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CredentialUnavailable(f"${{file:{path}}} is not UTF-8 text") from None


def _hidden_text(validate: Any) -> CoreSchema:
    hide = core_schema.plain_serializer_function_ser_schema(lambda _value: HIDDEN)
    return core_schema.with_info_plain_validator_function(validate, serialization=hide)


def _absolute(path: Path, info: ValidationInfo) -> Path:
    if str(path) in {"", "."}:
        raise ValueError("a path is missing")
    return Path(os.path.normpath(base(info).absolute() / path))


Duration = Annotated[float, PlainValidator(parse_duration), Schema({"type": "string", "pattern": "^[0-9]+[smhd]$"})]
"""Seconds; written ``50s``, ``15m``, ``1h``, ``90d``."""
Size = Annotated[int, PlainValidator(parse_size), Schema({"type": "string", "pattern": "^[0-9]+([KMGT]i)?B$"})]
"""Bytes; written ``64KiB``, ``10MiB``."""
ConfigPath = Annotated[Path, AfterValidator(_absolute)]
"""Absolute; written relative to the file that names it."""
