"""What reversible pseudonyms stand for: one vault for each session of an agent, in memory, bounded.

Values are in no repr, log or error. A token that a vault does not know, because it is another session's, was evicted
or is made up, stands for nothing. What was put back into a request is looked for in every later answer to the session:
it is remembered for as long as the session lasts, even where its token is not.
"""

import itertools
import string
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from gatehold.credentials.echoes import forms
from masking.literals import LiteralGroups, Literals, Replacing
from policy.model import Agent, SessionId

SHORTEST, LONGEST = 6, 1024
"""Bytes of a value that can be put back. A shorter one would hit ordinary text when it is looked for in answers."""
TOKENS, BYTES = 8192, 1024 * 1024
"""What a vault holds at most: tokens, and bytes of values."""
PUT_BACK = 1000
"""Different values that are put back in one session at most."""
GROUP = 50
"""Values that are looked for together: to prepare them holds up everything else for some hundredths of a second."""
SESSIONS = 512
IDLE = 3600.0
"""Seconds without a call after which a session's tokens are forgotten."""
_EVICTED = 4
"""One of so many tokens is given up when there is no room."""
_generations = itertools.count()
_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda each: f"\\u{ord(each):04x}",  # JSON
    lambda each: f"\\x{ord(each):02x}",  # JavaScript, Python, logs
    lambda each: f"&#{ord(each)};",
    lambda each: f"&#x{ord(each):x};",
    lambda each: f"={ord(each):02x}",  # quoted-printable
    lambda each: quote(quote(each, safe=""), safe=""),
)
_ASCII = frozenset(map(chr, range(128)))
_LETTERS = frozenset(string.ascii_letters + string.digits)
_NONE = frozenset[str]()
_PLAIN = (_NONE, _LETTERS, _LETTERS | {"-", ".", "_"}, _LETTERS | {"-", ".", "_", "+"})
"""Characters that an encoder leaves as they are."""


class VaultFullError(Exception):
    """More values were to be put back than can be looked for in answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a token stands for."""

    entity: str
    value: str = field(repr=False)


class SessionVault:
    """The tokens of one session. Safe to use from several threads."""

    def __init__(self, *, tokens: int = TOKENS, size: int = BYTES, put_back: int = PUT_BACK) -> None:
        self._limits = (tokens, size, put_back)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._size = 0
        self._restored: frozenset[str] = frozenset()
        """Values that were put back."""
        self._full: tuple[Literals, ...] = ()
        """Every form of them, with their tokens, in full groups."""
        self._latest: dict[str, str] = {}
        """Those in no full group, with their tokens."""
        self._literals = LiteralGroups()
        self.generation = next(_generations)
        """Another one once tokens were given up: whoever remembers tokens of an earlier one has to make them anew."""

    def __repr__(self) -> str:
        return f"<SessionVault: {len(self._kept)} tokens>"

    @property
    def count(self) -> int:
        """How many tokens it holds."""
        return len(self._kept)

    def keep(self, token: str, entity: str, value: str) -> None:
        """Remember what a token stands for; the first spelling of a value stays. Too short and too long ones do not."""
        size = _size(value)
        if not SHORTEST <= size <= LONGEST:
            return
        with self._lock:
            if token in self._kept:
                self._kept.move_to_end(token)
                return
            self._kept[token] = Kept(entity=entity, value=value)
            self._size += size
            tokens, most, _ = self._limits
            if len(self._kept) > tokens or self._size > most:
                self._evict()

    def find(self, token: str) -> Kept | None:
        """What a token stands for."""
        with self._lock:
            return self._kept.get(token)

    def put_back(self, values: Mapping[str, str]) -> None:
        """Look for these values in every later answer, and replace them by their tokens; takes long for many.

        Raises VaultFullError, then for none of them.
        """
        with self._lock:
            new = values.keys() - self._restored
            if not new:
                return
            if len(new) + len(self._restored) > self._limits[2]:
                raise VaultFullError
            self._restored |= new
            self._latest |= {value: values[value] for value in sorted(new)}
            while len(self._latest) >= GROUP:
                group = list(self._latest.items())[:GROUP]
                self._full += (_literals(dict(group)),)
                for value, _ in group:
                    del self._latest[value]
            self._literals = LiteralGroups((*self._full, *([_literals(self._latest)] if self._latest else [])))

    def forget(self) -> None:
        """Give up all tokens. What was put back is still looked for."""
        with self._lock:
            self._kept.clear()
            self._size = 0
            self.generation = next(_generations)

    @property
    def echoes(self) -> LiteralGroups:
        """The values that were put back, in every form, with their tokens."""
        return self._literals

    def _evict(self) -> None:
        tokens, most, _ = self._limits
        while len(self._kept) > tokens - tokens // _EVICTED or self._size > most - most // _EVICTED:
            _, kept = self._kept.popitem(last=False)
            self._size -= _size(kept.value)
        self.generation = next(_generations)


def _literals(values: Mapping[str, str]) -> Literals:
    forms = {form: token.encode() for value, token in values.items() for form in _spellings(value)}
    return Literals(forms, shortest=SHORTEST, any_case=True)


def _spellings(value: str) -> Iterator[bytes]:
    """Forms of a value in small letters: those of a credential, and those that an agent can have a target write."""
    for cased in {value, value.lower(), value.upper(), value[::-1]}:
        yield from (form.lower() for form in forms(cased))
    beyond = frozenset(value) - _ASCII
    for written, plain in itertools.product(_ESCAPES, {each | more for each in _PLAIN for more in (_NONE, beyond)}):
        yield "".join(each if each in plain else written(each) for each in value).lower().encode()


def _size(value: str) -> int:
    """Bytes; 0 for what UTF-8 cannot hold, and no request could."""
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        return 0


@dataclass(slots=True, kw_only=True)
class _Held:
    vault: SessionVault
    used: float
    agent: Agent | None = None


class SessionVaults:
    """The vaults of all sessions. Safe to use from several threads."""

    def __init__(self, *, sessions: int = SESSIONS, idle: float = IDLE) -> None:
        self._most = sessions
        self._idle = idle
        self._lock = threading.Lock()
        self._held: OrderedDict[SessionId, _Held] = OrderedDict()

    def __repr__(self) -> str:
        return f"<SessionVaults: {len(self._held)} sessions>"

    def of(self, session: SessionId, agent: Agent | None = None, *, now: float) -> SessionVault | None:
        """The vault of a session, made where there is none; None where there is no room for it.

        ``agent``: who acts in it, with the token that lasts longest. ``now``: seconds of any clock, the same for all.
        """
        with self._lock:
            held = self._held.get(session) or self._new(session, now)
            if held is None:
                return None
            self._held.move_to_end(session)
            held.used = now
            if agent and (held.agent is None or agent.expires_at > held.agent.expires_at):
                held.agent = agent
            return held.vault

    def sweep(self, is_over: Callable[[Agent], bool], *, now: float) -> None:
        """Forget sessions that are over, and the tokens of those in which nothing was done for long."""
        with self._lock:
            for session, held in list(self._held.items()):
                idle = now - held.used > self._idle
                if (held.agent and is_over(held.agent)) or (idle and not held.vault.echoes):
                    del self._held[session]
                elif idle and held.vault.count:
                    held.vault.forget()

    def _new(self, session: SessionId, now: float) -> _Held | None:
        """A vault; for it the one that was used longest ago goes, unless its values are looked for in answers."""
        if len(self._held) >= self._most:
            idlest = next((each for each, held in self._held.items() if not held.vault.echoes), None)
            if idlest is None:
                return None
            del self._held[idlest]
        return self._held.setdefault(session, _Held(vault=SessionVault(), used=now))


@dataclass(frozen=True, slots=True)
class SessionEchoes:
    """What may be seen in no answer to a session, as it is known at any time: credentials, and what was put back."""

    credentials: Callable[[], Replacing]
    vault: SessionVault | None

    def __bool__(self) -> bool:
        return bool(self.credentials()) or bool(self.vault and self.vault.echoes)

    def replace(self, data: bytes) -> bytes:
        """``data`` without them; the same object where there is none."""
        data = self.credentials().replace(data)
        return self.vault.echoes.replace(data) if self.vault else data

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of one."""
        held = self.credentials().held_back(data)
        return max(held, self.vault.echoes.held_back(data)) if self.vault else held
