"""Recordings that are kept in any case; reloads that were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Two tables of their own."""
    op.create_table(
        "legal_holds",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_legal_holds"),
    )
    op.create_table(
        "reloads",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("accept_removals", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.String(64)),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("finished", sa.Double()),
        sa.Column("outcome", sa.String(16)),
        sa.Column("report", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_reloads"),
    )
