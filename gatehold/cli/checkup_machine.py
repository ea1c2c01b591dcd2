"""What a gateway finds on this machine: Python, libraries, its data directory, its CA, the clock."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gatehold.cli.checkup import Item, failed, ok, warning

_LEAST_PYTHON = (3, 13)
_LIBRARIES = ("mitmproxy", "presidio-analyzer", "phonenumbers", "cel-expr-python")
_SCARCE, _TOO_SCARCE = 2 << 30, 100 << 20
"""Bytes of free disk under which recordings soon stop, and under which they may stop any moment."""
_RENEWAL = timedelta(days=30)
_SKEW = timedelta(minutes=5)
_SEEN = 10_000
"""Files of the data directory that are looked at."""


def python() -> Iterator[Item]:
    """The interpreter."""
    said = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= _LEAST_PYTHON:
        yield ok("python", said)
    else:
        yield failed("python", said, "Gatehold needs Python 3.13 or newer")


def libraries() -> Iterator[Item]:
    """Gatehold, and what its decisions and its masking rest on."""
    try:
        found = [f"{name} {version(name)}" for name in ("gatehold", *_LIBRARIES)]
    except PackageNotFoundError as missing:
        yield failed("libraries", f"{missing.name} is not installed", "install Gatehold with its dependencies")
        return
    yield ok("libraries", ", ".join(found))


def screen() -> Iterator[Item]:
    """What looks through bodies before detectors do."""
    from masking.screening import backend

    name = backend()
    if name == "re":
        yield warning(
            "screen", "re: answers are screened slowly", "install hyperscan, or google-re2 where it has no wheel"
        )
    else:
        yield ok("screen", name)


def codings() -> Iterator[Item]:
    """Content codings that can be decoded."""
    from masking.encodings import Decoder, Limits, coding

    readable: list[str] = []
    for name in ("gzip", "deflate", "br", "zstd"):
        try:
            Decoder(coding(name), Limits())
        except Exception as error:  # noqa: BLE001  (told)
            todo = "answers in it are blocked as unmaskable; install the libraries brotli and zstandard"
            yield warning("content codings", f"{name} cannot be decoded ({type(error).__name__})", todo)
        else:
            readable.append(name)
    yield ok("content codings", ", ".join(readable))


def data_directory(data_dir: Path) -> Iterator[Item]:
    """Whether it is there, belongs to this user alone, and can be written."""
    check = "data directory"
    if not data_dir.exists():
        parent = next(each for each in data_dir.parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield ok(check, f"{data_dir}: is made at the first start")
        else:
            yield failed(check, f"{data_dir}: cannot be made", f"give this user access to {parent}")
        return
    status = data_dir.stat()
    if not stat.S_ISDIR(status.st_mode):
        yield failed(check, f"{data_dir}: is no directory", "name another one as spec.dataDir")
    elif status.st_uid != os.geteuid():
        yield failed(check, f"{data_dir}: belongs to another user", "run as that user, or give it to this one")
    elif not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        yield failed(check, f"{data_dir}: cannot be written", f"chmod 700 {data_dir}")
    elif status.st_mode & 0o077:
        yield failed(check, f"{data_dir}: others can look into it", f"chmod 700 {data_dir}")
    else:
        yield ok(check, str(data_dir))
    for key in _open_keys(data_dir):
        yield failed(check, f"{key}: others can read it", f"chmod 600 {key}, and replace the key")


def _open_keys(data_dir: Path) -> Iterator[Path]:
    for key in (*(data_dir / "keys").glob("*"), data_dir / "ca" / "ca-key.pem"):
        if key.is_file() and key.stat().st_mode & 0o077:
            yield key


def disk_space(data_dir: Path, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> Iterator[Item]:
    """Recordings grow; without room calls are refused."""
    place = next(each for each in (data_dir, *data_dir.parents) if each.exists())
    free = usage(place)[2]
    said = f"{free / (1 << 30):.1f} GiB free at {place}"
    todo = "make room: with recordings.mode required, calls are refused when there is none"
    if free < _TOO_SCARCE:
        yield failed("disk space", said, todo)
    elif free < _SCARCE:
        yield warning("disk space", said, todo)
    else:
        yield ok("disk space", said)


def authority(data_dir: Path, now: datetime) -> Iterator[Item]:
    """The CA that agents trust, and how long it still lives."""
    from gatehold.authority import load_or_create
    from policy.errors import ConfigurationError

    home = data_dir / "ca"
    if not home.is_dir() or not any(home.iterdir()):
        yield ok("ca", "is made at the first start, or by gatehold ca")
        return
    try:
        certificate = load_or_create(data_dir, clock=lambda: now).certificate
    except (ConfigurationError, OSError) as error:
        yield failed("ca", str(error), "restore it from a backup, or remove it and let agents trust a new one")
        return
    left = certificate.not_valid_after_utc - now
    said = f"made {certificate.not_valid_before_utc:%Y-%m-%d}, ends {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        yield failed("ca", f"{said}: begins in the future", "set the clock")
    elif left < _RENEWAL:
        yield warning("ca", f"{said}: {left.days} days left", f"remove {home} and give agents the new one")
    else:
        yield ok("ca", said)


def clock(data_dir: Path, now: datetime) -> Iterator[Item]:
    """Tokens, approvals and the journal rest on it; it may not have been set back."""
    latest = max((datetime.fromtimestamp(each, UTC) for each in _times(data_dir)), default=now)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if latest > now + _SKEW:
        yield failed("clock", f"{said}, but {data_dir} was written at {latest:%Y-%m-%d %H:%M:%S}", "set the clock")
    else:
        yield ok("clock", said)


def _times(data_dir: Path) -> Iterator[float]:
    if data_dir.is_dir():
        for number, file in enumerate(data_dir.rglob("*")):
            if number == _SEEN:
                return
            yield file.lstat().st_mtime
