"""The tables, as the code of this version expects them.

Times are Unix seconds as doubles, lists and mappings are JSON, names of states are the strings of their enums. The
migrations make the same tables step by step; a test compares the two.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    false,
)

VERSION: Final = "0007"
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
    Column("password", Text),
    Column("login_issuer", Text),
    Column("login_subject", Text),
)
"""``password``: an argon2 hash, NULL without one. ``login_*``: who an OpenID provider says that this is."""

Index("ix_users_login", users.c.login_issuer, users.c.login_subject, unique=True)

user_groups = Table(
    "user_groups",
    metadata,
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("group_name", String(128), primary_key=True),
)

user_tokens = Table(
    "user_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("label", String(128), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("last_used", Double),
)
"""Tokens of people for their programs; ``digest``: SHA-256 of the token, which is shown once and not kept."""

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("way", String(16), nullable=False),
    Column("created", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("expires", Double, nullable=False),
)
"""People who are signed in; ``digest``: SHA-256 of the cookie's value. ``way``: ``password`` or ``oidc``."""

Index("ix_console_sessions_user_name", console_sessions.c.user_name)

chat_accounts = Table(
    "chat_accounts",
    metadata,
    Column("service", String(16), primary_key=True),
    Column("team", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created", Double, nullable=False),
)
"""Accounts of chat services that were bound to a person from a page where that person was signed in."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(128), nullable=False),
    Column("approval_id", String(32), nullable=False),
    Column("event", String(32), nullable=False),
    Column("created", Double, nullable=False),
    Column("due", Double, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("delivered", Double),
    Column("given_up", Double),
    Column("reference", Text),
    UniqueConstraint("channel", "approval_id", "event"),
)
"""What channels tell of approvals, once each. ``reference``: the message in the channel, to update it there."""

Index("ix_deliveries_due", deliveries.c.due)

agent_sessions = Table(
    "agent_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("groups", _JSON, nullable=False),
    Column("started", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("calls", BigInteger, nullable=False, server_default="0"),
    Column("denied", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("token_expires", Double, nullable=False),
    Column("longest", Double),
    Column("idle", Double),
    Column("ended", Double),
    Column("why", Text),
)
"""Sessions of agents. ``id``: SHA-256 of issuer, subject and session, which may be of any length. ``longest`` and
``idle``: seconds that policy grants. ``ended``: since then its calls are refused."""

Index("ix_agent_sessions_seen", agent_sessions.c.seen)
Index("ix_agent_sessions_ended", agent_sessions.c.ended)

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
    Column("kind", String(16), nullable=False, server_default="call"),
    Column("together", Text),
    Column("body", _JSON),
    Column("purpose", Text, nullable=False, server_default=""),
)
"""``live``: the fingerprint again until a final state is reached, then NULL, so that no call has two live approvals.
``people``: who may not answer. ``terms``: the grant that a yes leaves behind. ``reason``: the last words of a move.
``request``: the fingerprint without the effect on an object. ``change``: that effect, as people are shown it.
``kind``: ``call``, or ``access`` asked for in advance. ``together``: what calls of one command have in common, so that
people are asked once. ``body``: the request's body, masked, as people are shown it. ``purpose``: what the agent is
there for, by its issuer, masked."""

Index("ix_approvals_agent", approvals.c.issuer, approvals.c.subject, approvals.c.state)
Index("ix_approvals_fingerprint", approvals.c.fingerprint, approvals.c.created)
Index("ix_approvals_request", approvals.c.request)
Index("ix_approvals_together", approvals.c.together)
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
    Column("shown", String(64)),
    Column("forced", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("approval_id", "user_name", "answer"),
    UniqueConstraint("approval_id", "person", "answer"),
)
"""``person`` is who counts: the user, or for answers given on the gateway's machine the operating system's user.
``shown``: digest of what the person had before them. ``forced``: one person's yes instead of the quorum's."""

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
    Column("issued_before", Double),
)
"""Whose access is taken away. ``issuer``: of a subject, empty for any; ``until`` NULL: until it is lifted.
``issued_before``: of tokens from before then only."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("groups", _JSON, nullable=False),
    Column("purpose", Text, nullable=False, server_default=""),
    Column("label", String(128), nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires", Double),
    Column("revoked", Double),
    Column("last_used", Double),
)
"""Keys of agents without an identity provider. ``digest``: SHA-256 of the key, which is shown once and kept nowhere."""

used_assertions = Table(
    "used_assertions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", Double, nullable=False),
)
"""SHA-256 over issuer and id of assertions that were exchanged: they count once, and are forgotten when over."""

Index("ix_used_assertions_expires", used_assertions.c.expires)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("jwk", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
)
"""Public halves of the keys by which gateways on this store sign tokens; the private ones never leave their process."""

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("session", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("created", Double, nullable=False),
)
"""Sessions whose recordings are not deleted, however old they are."""

reloads = Table(
    "reloads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("asked_by", Text, nullable=False),
    Column("accept_removals", Boolean, nullable=False, server_default=false()),
    Column("revision", String(64)),
    Column("created", Double, nullable=False),
    Column("finished", Double),
    Column("outcome", String(16)),
    Column("report", _JSON),
)
"""What `gatehold reload` asked a running gateway, and what it answered. ``revision``: of the files that were meant."""

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
