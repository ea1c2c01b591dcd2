"""Users, approvals and their answers, grants, limits, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_JSON = sa.JSON(none_as_null=True)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    _users()
    _approvals()
    _answers()
    _grants()
    _limits()
    _outbox()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "user_groups",
        sa.Column("user_name", sa.String(128), nullable=False),
        sa.Column("group_name", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("user_name", "group_name", name="pk_user_groups"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_user_groups_user_name", ondelete="CASCADE"),
    )


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("live", sa.String(64)),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("people", _JSON, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("facts", _JSON, nullable=False),
        sa.Column("rules", _JSON, nullable=False),
        sa.Column("quorum", _JSON, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("terms", _JSON),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("answered", sa.Double()),
        sa.Column("spend_by", sa.Double()),
        sa.Column("ended", sa.Double()),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.UniqueConstraint("live", name="uq_approvals_live"),
    )
    op.create_index("ix_approvals_agent", "approvals", ["issuer", "subject", "state"])
    op.create_index("ix_approvals_fingerprint", "approvals", ["fingerprint", "created"])
    op.create_index("ix_approvals_created", "approvals", ["created"])
    op.create_index("ix_approvals_state", "approvals", ["state", "created"])


def _answers() -> None:
    op.create_table(
        "approval_answers",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("approval_id", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(8), nullable=False),
        sa.Column("user_name", sa.String(128), nullable=False),
        sa.Column("person", sa.String(160), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("os_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval_answers"),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name="fk_approval_answers_approval_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "approval_id", "user_name", "answer", name="uq_approval_answers_approval_id_user_name_answer"
        ),
        sa.UniqueConstraint("approval_id", "person", "answer", name="uq_approval_answers_approval_id_person_answer"),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("approval_id", sa.String(32), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("rules", _JSON, nullable=False),
        sa.Column("terms", _JSON, nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("revoked", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"], name="fk_grants_approval_id", ondelete="CASCADE"),
        sa.UniqueConstraint("approval_id", name="uq_grants_approval_id"),
    )
    op.create_index("ix_grants_session", "grants", ["session", "expires"])


def _limits() -> None:
    op.create_table(
        "limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("tat", sa.Double(), nullable=False),
        sa.Column("consumed", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("window_end", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_limits"),
    )
    op.create_index("ix_limits_window_end", "limits", ["window_end"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("event", _JSON, nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("uid", name="uq_outbox_uid"),
        sqlite_autoincrement=True,
    )
