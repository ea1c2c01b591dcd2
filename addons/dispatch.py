"""How hooks are called here: from a cached table, and refusing when a governance addon fails.

Stock mitmproxy logs an exception of an addon and lets the flow go on; a gateway must not. Three laws replace that:

Rule 1  An exception in a governance addon refuses what the hook was about (``addons.failsafe``) and ends the hook.
Rule 2  After ``request``, a flow that has neither an answer nor the seal is refused, whichever addons were present.
Rule 3  A governance addon that is removed from a running gateway closes the door for good: every later call is refused
        and the proxy shuts down.

The table is built once per event and thrown away when the chain changes: stock dispatch walks the whole chain for every
event, and again for an ``update`` event behind it, which costs more than half of the proxy's time.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any, cast

from mitmproxy import addonmanager, exceptions, hooks, http

from addons import failsafe
from addons.calls import Ledger

logger = logging.getLogger(__name__)

type BoundHook = tuple[Any, Callable[..., Any]]


class GuardedAddonManager(addonmanager.AddonManager):
    """The addon manager of a gateway. An existing manager is turned into one by :func:`guard`."""

    governance: tuple[Any, ...]
    ledger: Ledger
    breached: str
    _table: dict[str, list[BoundHook]]

    def __repr__(self) -> str:
        state = f"breached: {self.breached}" if self.breached else f"{len(self.governance)} governance addons"
        return f"<GuardedAddonManager {state}>"

    def register(self, addon: Any) -> Any:
        """Register an addon; the table of hooks is built anew."""
        registered = super().register(addon)  # type: ignore[no-untyped-call]
        self._table.clear()
        return registered

    def remove(self, addon: Any) -> None:
        """Remove an addon; a governance addon closes the door (rule 3)."""
        if any(governing is addon for governing in self.governance):
            self.breach(f"addon {type(addon).__name__} was removed")
        super().remove(addon)  # type: ignore[no-untyped-call]
        self._table.clear()

    def set_aside(self, addon: Any) -> None:
        """Take out a stock addon before anything ran; its ``done`` is not called, for it never began."""
        for each in addonmanager.traverse([addon]):
            del self.lookup[addonmanager._get_name(each)]  # noqa: SLF001 - the manager's own key
        self.chain = [kept for kept in self.chain if kept is not addon]
        self._table.clear()

    def clear(self) -> None:
        """Remove all addons: closes the door as well."""
        self.breach("all addons were removed")
        super().clear()  # type: ignore[no-untyped-call]
        self._table.clear()

    def breach(self, why: str) -> None:
        """Refuse everything from now on and shut the proxy down."""
        if not self.breached:
            self.breached = why
            logger.critical("gatehold: %s; refusing every call and shutting down", why)
            self.master.shutdown()

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """Dispatch one event of a live connection (no ``update`` event follows: nothing here listens to it)."""
        await self.trigger_event(event)

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call every hook of an event in chain order."""
        arguments = event.args()
        subject: Any = arguments[0] if arguments else None
        if self.breached and event.name not in ("done", "client_disconnected", "server_disconnected"):
            failsafe.refuse(event.name, subject, self.ledger)
            return
        for addon, hook in self._hooks(event):
            try:
                result = hook(*arguments)
                if result is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                break
            except Exception as error:
                if event.name == "configure" and isinstance(error, exceptions.OptionsError):
                    raise  # how an operator is told
                # The text of the exception may hold data of the call: only its type and place are logged.
                logger.error("gatehold: %s failed in %s: %s", type(addon).__name__, event.name, failsafe.place(error))  # noqa: TRY400
                if any(governing is addon for governing in self.governance):
                    failsafe.refuse(event.name, subject, self.ledger)
                    break
        if event.name == "request" and subject.response is None and not self._may_pass(subject):
            failsafe.refuse(event.name, subject, self.ledger)

    def _may_pass(self, flow: http.HTTPFlow) -> bool:
        return not self.breached and self.ledger.sealed(flow)

    def _hooks(self, event: hooks.Hook) -> list[BoundHook]:
        found = self._table.get(event.name)
        if found is None:
            found = [bound for addon in self.chain for bound in self._iter_hooks(addon, event)]
            self._table[event.name] = found
        return found


def guard(manager: addonmanager.AddonManager, ledger: Ledger) -> GuardedAddonManager:
    """Turn a master's addon manager into a guarded one, in place.

    ``ledger`` tells whether a flow may go upstream. The class is swapped rather than the object because the master's
    options and commands hold references to the object.
    """
    manager.__class__ = GuardedAddonManager
    guarded = cast("GuardedAddonManager", manager)
    guarded.governance = ()
    guarded.ledger = ledger
    guarded.breached = ""
    guarded._table = {}  # noqa: SLF001 - the class was just swapped in; there is no constructor call to do it
    return guarded
