"""Revocations of tokens that were issued before a moment; sessions by the time at which they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Revocations from before are of all tokens."""
    op.add_column("revocations", sa.Column("issued_before", sa.Double()))
    op.create_index("ix_agent_sessions_ended", "agent_sessions", ["ended"])
