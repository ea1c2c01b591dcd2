"""One current credential for each target, or for each agent of a target.

``get_cached`` is synchronous and is what a call asks first; ``get`` waits where something has to be fetched. However
many calls wait, a credential is fetched once. It is fetched anew when a fifth of its life is left, beside the traffic,
and after failures with growing pauses, in which calls are refused at once instead of waiting.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
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
    ) -> None:
        """``clock`` gives Unix seconds, for what credentials say; ``monotonic`` seconds, for pauses."""
        self._plain: dict[str, Injection] = {}
        self._holders: dict[str, Holder] = {}
        self._crowds: dict[str, Crowd] = {}
        self._spellings: tuple[bytes, ...] | None = None
        self._own: dict[Who, Literals] = {}
        clocks, having = Clocks(now=clock, instant=monotonic), FieldSources(clock)
        for name, target in targets.items():
            recipe = recipe_of(target, data_dir / "keys", having)
            if recipe is None:
                self._plain[name] = Injection(bound=bound_of(target))
            elif recipe.per_agent:
                self._crowds[name] = Crowd(name, recipe.make, clocks, self._changed_for)
            else:
                self._holders[name] = Holder(name, recipe.make(None), clocks, self._changed)

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

    @property
    def has_own_credentials(self) -> bool:
        """Whether there is a target of which every agent has its own."""
        return bool(self._crowds)

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
        """Obtain all credentials; gives a line for each that is missing by configuration, not just for the moment.

        Waits for nobody longer than ``START_WAIT``; what is slower is fetched beside.
        """
        fetching = [holder.fetch() for holder in self._holders.values()]
        done, _ = await asyncio.wait(fetching, timeout=START_WAIT) if fetching else ((), ())
        for finished in done:
            finished.result()
        return tuple(
            f"target {holder.name}: {holder.problem}"
            for holder in self._holders.values()
            if holder.problem is not None and not isinstance(holder.problem, CredentialDelayed)
        )

    def known_secrets(self) -> tuple[bytes, ...]:
        """Every spelling of every credential that is not one agent's own, the longest first.

        The same object until one changes.
        """
        if self._spellings is None:
            holders = self._holders.values()
            self._spellings = spellings(secret.reveal() for holder in holders for secret in holder.secrets)
        return self._spellings

    def own_echoes(self, agent: Agent) -> Literals:
        """Every spelling of the credentials that this agent alone has."""
        if not self._crowds:
            return _NONE
        known = self._own.get(who(agent))
        if known is None:
            secrets = (secret.reveal() for crowd in self._crowds.values() for secret in crowd.secrets(who(agent)))
            known = Literals(spellings(secrets))
            if known:
                self._own[who(agent)] = known
        return known

    def forget(self, is_gone: Callable[[Agent], bool]) -> None:
        """Drop credentials of single agents that are gone, or whose tokens have ended."""
        for crowd in self._crowds.values():
            crowd.forget(is_gone)

    async def close(self) -> None:
        """Stop what is being fetched and forget everything."""
        for holder in self._holders.values():
            await holder.close()
        for crowd in self._crowds.values():
            await crowd.close()

    def _changed(self) -> None:
        self._spellings = None

    def _changed_for(self, whose: Who) -> None:
        self._own.pop(whose, None)
