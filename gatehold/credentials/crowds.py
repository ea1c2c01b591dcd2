"""Credentials of a target of which every agent has its own: one for each token that an agent shows.

Nothing of one token is ever given to another, though it be of the same agent: what was had by a token that has ended
is gone with it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from gatehold.config.values import Secret
from gatehold.credentials.fields import Asker
from gatehold.credentials.holding import Clocks, Holder, refusal
from gatehold.credentials.injection import Injection
from gatehold.credentials.sources import Source
from policy.model import Agent

MOST = 1024
"""Tokens for which a target's credentials are kept; that which was not seen for longest goes first."""

type Who = tuple[str, str]
"""Issuer and subject."""


def who(agent: Agent) -> Who:
    """Who an agent is, whatever token it shows."""
    return agent.issuer, agent.subject


class Crowd:
    """The credentials of one target. Bound to the event loop that first uses it."""

    def __init__(
        self, name: str, make: Callable[[Asker], Source], clocks: Clocks, on_change: Callable[[Who], None]
    ) -> None:
        """``on_change`` is called with whose ``secrets`` may be other ones."""
        self._name = name
        self._make = make
        self._clocks = clocks
        self._on_change = on_change
        self._held: OrderedDict[bytes, tuple[Agent, Holder]] = OrderedDict()
        self.latest: Injection | None = None
        """What any call was given last."""

    def __repr__(self) -> str:
        return f"<credentials of {self._name}: {len(self._held)} agents' tokens>"

    def at_hand(self, asker: Asker | None) -> Injection | None:
        """The asker's credential, if nobody has to wait for it."""
        if asker is None or self._is_over(asker.agent):
            return None
        key = _key(asker)
        if (known := self._held.get(key)) is None:
            return None
        self._held.move_to_end(key)
        _, holder = known
        injection = holder.at_hand()
        self.latest = injection or self.latest
        return injection

    async def get(self, asker: Asker | None) -> Injection:
        """The asker's credential. Raises ``Refusal`` (``credential-unavailable``) with the target's name."""
        if asker is None:
            raise refusal(self._name, "it is made of an agent's token, and no agent asks")
        if self._is_over(asker.agent):
            raise refusal(self._name, "the agent's token has ended")
        self.latest = injection = await self._holder(asker).get()
        return injection

    def secrets(self, of: Who) -> tuple[Secret, ...]:
        """What must not come back to one agent."""
        return tuple(secret for agent, held in self._held.values() if who(agent) == of for secret in held.secrets)

    def forget(self, is_gone: Callable[[Agent], bool]) -> None:
        """Drop what belongs to tokens that have ended, and to agents that are gone."""
        over = [key for key, (agent, _) in self._held.items() if self._is_over(agent) or is_gone(agent)]
        for key in over:
            self._drop(key)

    async def close(self) -> None:
        """Stop what is being fetched and forget everything."""
        held, self._held, self.latest = self._held, OrderedDict(), None
        for agent, holder in held.values():
            await holder.close()
            self._on_change(who(agent))

    def _holder(self, asker: Asker) -> Holder:
        key = _key(asker)
        if key not in self._held:
            of = who(asker.agent)
            holder = Holder(self._name, self._make(asker), self._clocks, lambda: self._on_change(of))
            self._held[key] = asker.agent, holder
            self._make_room()
        self._held.move_to_end(key)
        return self._held[key][1]

    def _make_room(self) -> None:
        idle = [key for key, (_, holder) in self._held.items() if not holder.is_busy] if len(self._held) > MOST else []
        for key in idle[: len(self._held) - MOST]:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        agent, _ = self._held.pop(key)
        self._on_change(who(agent))

    def _is_over(self, agent: Agent) -> bool:
        return self._clocks.now() >= agent.expires_at


def _key(asker: Asker) -> bytes:
    return hashlib.sha256(asker.token.encode("utf-8", "surrogatepass")).digest()
