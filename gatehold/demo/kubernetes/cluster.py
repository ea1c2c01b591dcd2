"""The state of one server and its tunables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatehold.demo.kubernetes import seed
from gatehold.demo.kubernetes.audit import Attributes, AuditEvent
from gatehold.demo.kubernetes.identities import Identity
from gatehold.demo.kubernetes.storage import Store
from gatehold.demo.received import Log, RequestLog

if TYPE_CHECKING:  # admission acts on a cluster
    from gatehold.demo.kubernetes.admission import Mutation


@dataclass(slots=True, kw_only=True)
class Cluster:
    """Objects, credentials, received requests. Seeded with the demo's objects unless `store` is given."""

    token: str = field(repr=False)
    """The bearer token that callers must present; minted ServiceAccount tokens are accepted as well."""
    settle: float = 0.25
    """Seconds after which controllers act on a change."""
    log_interval: float = 1.0
    """Seconds between two lines of followed logs."""
    bookmark_interval: float = 60.0
    """Seconds between two bookmarks of a watch."""
    store: Store = field(default_factory=seed.seeded_store, repr=False)
    received: RequestLog = field(default_factory=RequestLog)
    """Every request as it came in, noted before it is answered."""
    audit: "Log[AuditEvent]" = field(default_factory=Log)
    """Every request with who made it and how it was answered, noted with the answer (of a stream: its beginning)."""
    minted: set[str] = field(default_factory=set, repr=False)
    """Tokens that were made for ServiceAccounts; each is taken until it ends."""
    token_life: float | None = None
    """The longest life in seconds of a token that is made here, whatever was asked for; None: what was asked for."""
    tokens: dict[str, Identity] = field(default_factory=dict, repr=False)
    """Other tokens that are taken, with whose they are."""
    mutations: "list[Mutation]" = field(default_factory=list, repr=False)
    """Mutating webhooks, in their order."""
    authorized: Callable[[Attributes], bool] | None = field(default=None, repr=False)
    """Who may do what; None: everybody everything."""
