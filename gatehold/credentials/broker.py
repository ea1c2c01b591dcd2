"""One current credential for each target, or for each agent of a target.

``get_cached`` is synchronous and is what a call asks first; ``get`` waits where something has to be fetched. However
many calls wait, a credential is fetched once. It is fetched anew when a fifth of its life is left, beside the traffic,
and after failures with growing pauses, in which calls are refused at once instead of waiting.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gatehold.config.model import Target
from gatehold.credentials.crowds import Crowd, Who, who
from gatehold.credentials.echoes import spellings
from gatehold.credentials.field_sources import FieldSources
from gatehold.credentials.fields import Asker
from gatehold.credentials.holding import Clocks, Holder, refusal
from gatehold.credentials.injection import Injection
from gatehold.credentials.recipes import bound_of, recipe_of
from gatehold.credentials.sources import CredentialDelayed
from masking.literals import Literals
from policy.model import Agent, TargetName

_MOST_BEFORE = 256
"""Credentials that were taken out of use and are still looked for in answers."""
START_WAIT = 15.0
"""Seconds that a start waits for credentials."""
_NONE = Literals(())


class CredentialBroker:
    """The credentials of a configuration's targets. Bound to the event loop that first uses it."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        *,
        data_dir: Path,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        before: "CredentialBroker | None" = None,
    ) -> None:
        """``clock`` gives Unix seconds, for what credentials say; ``monotonic`` seconds, for pauses.

        ``before`` is the broker of an earlier configuration: what is had in the same way for the same place is taken
        over from it, and what it gave out is looked for in answers on.
        """
        self._plain: dict[str, Injection] = {}
        self._holders: dict[str, Holder] = {}
        self._crowds: dict[str, Crowd] = {}
        self._targets = dict(targets)
        self._known: _Known = before._known if before else _Known()  # noqa: SLF001 - of its own kind
        self._having: FieldSources = before._having if before else FieldSources(clock)  # noqa: SLF001 - of its own kind
        clocks = Clocks(now=clock, instant=monotonic)
        for name, target in targets.items():
            if before is not None and before._keeps(target):  # noqa: SLF001 - of its own kind
                self._take(name, before)
                continue
            recipe = recipe_of(target, data_dir / "keys", self._having)
            if recipe is None:
                self._plain[name] = Injection(bound=bound_of(target))
            elif recipe.per_agent:
                self._crowds[name] = Crowd(name, recipe.make, clocks, self._known.changed_for)
            else:
                self._holders[name] = Holder(name, recipe.make(None), clocks, self._known.changed)
        if before is None:
            self.come_into_force()

    def _keeps(self, target: Target) -> bool:
        """Is the credential of this target had as the one of the same name here, and for the same place?"""
        mine = self._targets.get(target.name)
        return mine is not None and _way(mine) == _way(target)

    def _take(self, name: str, before: "CredentialBroker") -> None:
        if (holder := before._holders.get(name)) is not None:  # noqa: SLF001 - of its own kind
            self._holders[name] = holder
        elif (crowd := before._crowds.get(name)) is not None:  # noqa: SLF001 - of its own kind
            self._crowds[name] = crowd
        else:
            self._plain[name] = before._plain[name]  # noqa: SLF001 - of its own kind

    def come_into_force(self) -> None:
        """Calls are given these credentials from now on, so they are looked for in answers."""
        self._known.add(self._holders.values(), self._crowds.values())

    def __repr__(self) -> str:
        return f"<CredentialBroker {[*self._holders.values(), *self._crowds.values()]!r}>"

    def get_cached(self, target: TargetName, asker: Asker | None = None) -> Injection | None:
        """The target's credential if it is at hand (empty for a target that has none); None: ``get`` has to say.

        ``asker``: whose call it is for; there is none without where every agent has its own.
        """
        if (holder := self._holders.get(target)) is not None:
            return holder.at_hand()
        if (crowd := self._crowds.get(target)) is not None:
            return crowd.at_hand(asker)
        return self._plain.get(target)

    def in_use(self, target: TargetName) -> Injection | None:
        """What calls to the target were given last, for their connections: nothing is looked at anew.

        Where every agent has its own, what belongs to connections is the same in all of them.
        """
        if (holder := self._holders.get(target)) is not None:
            return holder.current
        if (crowd := self._crowds.get(target)) is not None:
            return crowd.latest
        return self._plain.get(target)

    def is_per_agent(self, target: TargetName) -> bool:
        """Whether every agent has its own, so that there is none for the gateway itself."""
        return target in self._crowds

    async def get(self, target: TargetName, asker: Asker | None = None) -> Injection:
        """The target's credential. Raises ``Refusal`` (``credential-unavailable``) with the target's name."""
        if (holder := self._holders.get(target)) is not None:
            return await holder.get()
        if (crowd := self._crowds.get(target)) is not None:
            return await crowd.get(asker)
        if (plain := self._plain.get(target)) is not None:
            return plain
        raise refusal(target, "no such target")

    async def prepare(self) -> tuple[str, ...]:
        """Obtain all credentials that are not there yet; gives a line for each that is missing by configuration.

        Waits for nobody longer than ``START_WAIT``; what is slower is fetched beside, and what is missing just for the
        moment is not told.
        """
        wanted = [holder for holder in self._holders.values() if holder.current is None]
        fetching = [holder.fetch() for holder in wanted]
        done, _ = await asyncio.wait(fetching, timeout=START_WAIT) if fetching else ((), ())
        for finished in done:
            finished.result()
        return tuple(
            f"target {holder.name}: {holder.problem}"
            for holder in wanted
            if holder.problem is not None and not isinstance(holder.problem, CredentialDelayed)
        )

    def known_secrets(self) -> tuple[bytes, ...]:
        """Every spelling of every credential that is not one agent's own, the longest first.

        The same object until one changes.
        """
        known = self._known
        if known.spellings is None:
            known.spellings = spellings(secret.reveal() for holder in known.holders for secret in holder.secrets)
        return known.spellings

    def own_echoes(self, agent: Agent) -> Literals:
        """Every spelling of the credentials that this agent alone has."""
        crowds, own = self._known.crowds, self._known.own
        if not crowds:
            return _NONE
        known = own.get(who(agent))
        if known is None:
            secrets = (secret.reveal() for crowd in crowds for secret in crowd.secrets(who(agent)))
            known = Literals(spellings(secrets))
            if known:
                own[who(agent)] = known
        return known

    def forget(self, is_gone: Callable[[Agent], bool]) -> None:
        """Drop credentials of single agents that are gone, or whose tokens have ended."""
        for crowd in self._known.crowds:
            crowd.forget(is_gone)

    async def close(self) -> None:
        """Stop what is being fetched and forget everything."""
        for holder in self._known.holders:
            await holder.close()
        for crowd in self._known.crowds:
            await crowd.close()


class _Known:
    """What must not come back in answers, of all credentials that one gateway gave out."""

    def __init__(self) -> None:
        self.holders: tuple[Holder, ...] = ()
        self.crowds: tuple[Crowd, ...] = ()
        self.spellings: tuple[bytes, ...] | None = None
        self.own: dict[Who, Literals] = {}

    def add(self, holders: Iterable[Holder], crowds: Iterable[Crowd]) -> None:
        """Look for these as well; of those that are in use no more only so many are kept."""
        self.holders = _with(self.holders, holders)
        self.crowds = _with(self.crowds, crowds)
        self.changed()
        self.own.clear()

    def changed(self) -> None:
        """A credential of everybody's is another one."""
        self.spellings = None

    def changed_for(self, whose: Who) -> None:
        """A credential of one agent is another one."""
        self.own.pop(whose, None)


def _with[T](before: tuple[T, ...], now: Iterable[T]) -> tuple[T, ...]:
    used = tuple(now)
    return (*[each for each in before if each not in used][-_MOST_BEFORE:], *used)


def _way(target: Target) -> tuple[object, ...]:
    """All that the credential of a target, and where it may go to, depends on."""
    spec = target.spec
    return spec.credential, spec.hosts, spec.scheme, spec.connect, spec.tls, spec.family
