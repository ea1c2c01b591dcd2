"""The state of one server and its tunables."""

from dataclasses import dataclass, field

from gatehold.demo.kubernetes import seed
from gatehold.demo.kubernetes.storage import Store
from gatehold.demo.received import RequestLog


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
    minted: set[str] = field(default_factory=set, repr=False)
