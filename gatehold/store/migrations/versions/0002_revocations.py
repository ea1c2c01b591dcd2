"""Revocations."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of revocations."""
    op.create_table(
        "revocations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("reach", sa.String(16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("until", sa.Double()),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revocations"),
    )
