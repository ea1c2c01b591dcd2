"""The tables, as the code of this version expects them.

Times are Unix seconds as doubles, lists and mappings are JSON, names of states are the strings of their enums. The
migrations make the same tables step by step; a test compares the two.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION: Final = "0003"
"""The newest revision in ``migrations/versions``."""

VERSION_TABLE: Final = "schema_version"
"""Alembic's own table: one row, the revision of the stored schema."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_JSON = JSON(none_as_null=True)

users = Table(
    "users",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("created", Double, nullable=False),
)

user_groups = Table(
    "user_groups",
    metadata,
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("group_name", String(128), primary_key=True),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("live", String(64), unique=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("people", _JSON, nullable=False),
    Column("target", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("facts", _JSON, nullable=False),
    Column("rules", _JSON, nullable=False),
    Column("quorum", _JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("terms", _JSON),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("answered", Double),
    Column("spend_by", Double),
    Column("ended", Double),
    Column("reason", Text, nullable=False, server_default=""),
    Column("request", String(64)),
    Column("change", _JSON),
)
"""``live``: the fingerprint again until a final state is reached, then NULL, so that no call has two live approvals.
``people``: who may not answer. ``terms``: the grant that a yes leaves behind. ``reason``: the last words of a move.
``request``: the fingerprint without the effect on an object. ``change``: that effect, as people are shown it."""

Index("ix_approvals_agent", approvals.c.issuer, approvals.c.subject, approvals.c.state)
Index("ix_approvals_fingerprint", approvals.c.fingerprint, approvals.c.created)
Index("ix_approvals_request", approvals.c.request)
Index("ix_approvals_created", approvals.c.created)
Index("ix_approvals_state", approvals.c.state, approvals.c.created)

approval_answers = Table(
    "approval_answers",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("approval_id", ForeignKey("approvals.id", ondelete="CASCADE"), nullable=False),
    Column("answer", String(8), nullable=False),
    Column("user_name", String(128), nullable=False),
    Column("person", String(160), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("os_user", String(128), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("at", Double, nullable=False),
    UniqueConstraint("approval_id", "user_name", "answer"),
    UniqueConstraint("approval_id", "person", "answer"),
)
"""``person`` is who counts: the user, or for answers given on the gateway's machine the operating system's user."""

grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("approval_id", ForeignKey("approvals.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("rules", _JSON, nullable=False),
    Column("terms", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("revoked", Double),
)

Index("ix_grants_session", grants.c.session, grants.c.expires)

revocations = Table(
    "revocations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("reach", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("until", Double),
    Column("created", Double, nullable=False),
    Column("revoked_by", Text, nullable=False),
)
"""Whose access is taken away. ``issuer``: of a subject, empty for any; ``until`` NULL: until it is lifted."""

limits = Table(
    "limits",
    metadata,
    Column("key", Text, primary_key=True),
    Column("tat", Double, nullable=False),
    Column("consumed", BigInteger, nullable=False, server_default="0"),
    Column("window_end", Double, nullable=False),
)
"""One row per counted key: the theoretical arrival time (GCRA) and what a budget has used until ``window_end``."""

Index("ix_limits_window_end", limits.c.window_end)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("at", Double, nullable=False),
    Column("event", _JSON, nullable=False),
    Column("leased_until", Double, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""Audit events that wait for the one writer of the journal."""
