"""Under which names the console answers, and what follows from them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleAddress:
    """What a browser must have in its address bar for its requests to count."""

    url: str
    """Without a trailing slash."""
    hosts: frozenset[str]
    """Values of ``Host``, in lower case."""
    origins: frozenset[str]

    @classmethod
    def of(cls, host: str, port: int, url: str | None) -> Self:
        """From the keys of ``console:``. The machine's own names always count where it listens on one of them."""
        own = f"[{host}]" if ":" in host else host
        names = {own, *_LOOPBACK} if own in _LOOPBACK else {own}
        places = {("http", f"{name}:{port}") for name in names}
        public = (url or f"http://{own}:{port}").rstrip("/")
        parts = urlsplit(public)
        places.add((parts.scheme, parts.netloc.lower()))
        spelled = frozenset(each for place in places for each in _spellings(*place))
        return cls(
            url=f"{parts.scheme}://{parts.netloc}",
            hosts=frozenset(netloc for _, netloc in spelled),
            # Behind TLS nobody can be signed in by another scheme, so nothing from there counts.
            origins=frozenset(f"{scheme}://{netloc}" for scheme, netloc in spelled if scheme == parts.scheme),
        )

    @property
    def is_secure(self) -> bool:
        """Do people reach it by TLS?"""
        return self.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session cookie's name. ``__Host-``: no other host of the domain can have set it."""
        return "__Host-gatehold" if self.is_secure else "gatehold"


def _spellings(scheme: str, netloc: str) -> Iterable[tuple[str, str]]:
    """A host with the usual port of its scheme is written without it as well."""
    yield scheme, netloc
    usual = f":{_USUAL.get(scheme, 0)}"
    if netloc.endswith(usual):
        yield scheme, netloc.removesuffix(usual)
