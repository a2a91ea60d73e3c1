"""What was revoked of late; secrets of anonymous devices; what is owed, by its kind."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("toastkit_anonymous", sa.Column("secret_hash", sa.Text(), nullable=True))
    op.create_index(
        "toastkit_sessions_revoked",
        "toastkit_sessions",
        ["revoked_at"],
        unique=False,
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.drop_index("toastkit_deliveries_due", table_name="toastkit_deliveries")
    _index_waiting("due", "kind", "next_attempt_at")
    _index_waiting("expiry", "expires_at")


def downgrade() -> None:
    op.drop_index("toastkit_deliveries_expiry", table_name="toastkit_deliveries")
    op.drop_index("toastkit_deliveries_due", table_name="toastkit_deliveries")
    _index_waiting("due", "next_attempt_at")
    op.drop_index("toastkit_sessions_revoked", table_name="toastkit_sessions")
    with op.batch_alter_table("toastkit_anonymous") as table:
        table.drop_column("secret_hash")


def _index_waiting(name: str, *columns: str) -> None:
    op.create_index(
        f"toastkit_deliveries_{name}",
        "toastkit_deliveries",
        list(columns),
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
