"""Dedupe keys whose window is over; the anonymous principals that became a user."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("toastkit_dedupe_until", "toastkit_dedupe", ["until"], unique=False)
    op.create_index(
        "toastkit_anonymous_rebound",
        "toastkit_anonymous",
        ["rebound_to"],
        unique=False,
        sqlite_where=sa.text("rebound_to IS NOT NULL"),
        postgresql_where=sa.text("rebound_to IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("toastkit_anonymous_rebound", table_name="toastkit_anonymous")
    op.drop_index("toastkit_dedupe_until", table_name="toastkit_dedupe")
