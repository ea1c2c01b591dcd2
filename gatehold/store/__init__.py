"""What outlives a process: users, approvals, grants, limits, and events on their way to the journal.

The law of this package: SQLAlchemy Core only, one code path for SQLite and PostgreSQL, every function one transaction
or a part of the caller's. It knows tables and rows; what a row means is said by the packages above.
"""

from gatehold.store.database import Store
from gatehold.store.opening import open_store

__all__ = ["Store", "open_store"]
