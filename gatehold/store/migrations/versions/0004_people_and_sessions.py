"""How people sign in, the sessions of agents, what channels were told, access asked for in advance."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """More tables, and more columns of ``users``, ``approvals`` and their answers."""
    _users()
    _approvals()
    _user_tokens()
    _console_sessions()
    _chat_accounts()
    _deliveries()
    _agent_sessions()


def _users() -> None:
    for name in ("password", "login_issuer", "login_subject"):
        op.add_column("users", sa.Column(name, sa.Text()))
    op.create_index("ix_users_login", "users", ["login_issuer", "login_subject"], unique=True)


def _approvals() -> None:
    op.add_column("approvals", sa.Column("kind", sa.String(16), nullable=False, server_default="call"))
    op.add_column("approvals", sa.Column("together", sa.Text()))
    op.add_column("approvals", sa.Column("body", _JSON))
    op.create_index("ix_approvals_together", "approvals", ["together"])
    op.add_column("approval_answers", sa.Column("shown", sa.String(64)))
    op.add_column("approval_answers", sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false()))


def _user_tokens() -> None:
    op.create_table(
        "user_tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(128), nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double()),
        sa.Column("last_used", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_user_tokens"),
        sa.UniqueConstraint("digest", name="uq_user_tokens_digest"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_user_tokens_user_name", ondelete="CASCADE"),
    )


def _console_sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(128), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_console_sessions"),
        sa.ForeignKeyConstraint(
            ["user_name"], ["users.name"], name="fk_console_sessions_user_name", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_console_sessions_user_name", "console_sessions", ["user_name"])


def _chat_accounts() -> None:
    op.create_table(
        "chat_accounts",
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("team", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(128), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("service", "team", "account", name="pk_chat_accounts"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_chat_accounts_user_name", ondelete="CASCADE"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("approval_id", sa.String(32), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("delivered", sa.Double()),
        sa.Column("given_up", sa.Double()),
        sa.Column("reference", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("channel", "approval_id", "event", name="uq_deliveries_channel_approval_id_event"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due"])


def _agent_sessions() -> None:
    op.create_table(
        "agent_sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("groups", _JSON, nullable=False),
        sa.Column("started", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("denied", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("held", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("token_expires", sa.Double(), nullable=False),
        sa.Column("longest", sa.Double()),
        sa.Column("idle", sa.Double()),
        sa.Column("ended", sa.Double()),
        sa.Column("why", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_agent_sessions"),
    )
    op.create_index("ix_agent_sessions_seen", "agent_sessions", ["seen"])
