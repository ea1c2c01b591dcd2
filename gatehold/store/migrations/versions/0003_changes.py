"""What a held call makes of an object, and the request that it belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two more columns of ``approvals``; questions from before have neither."""
    op.add_column("approvals", sa.Column("request", sa.String(64)))
    op.add_column("approvals", sa.Column("change", sa.JSON(none_as_null=True)))
    op.create_index("ix_approvals_request", "approvals", ["request"])
