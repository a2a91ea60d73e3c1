"""Why a toast was or was not seen; toasts published inside a host's transaction; overdue acks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _index_due(*columns: str) -> None:
    op.drop_index("toastkit_toasts_due", table_name="toastkit_toasts")
    op.create_index(
        "toastkit_toasts_due",
        "toastkit_toasts",
        columns,
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def upgrade() -> None:
    op.add_column("toastkit_toasts", sa.Column("acked_at", sa.BigInteger(), nullable=True))
    op.add_column("toastkit_toasts", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("toastkit_toasts", sa.Column("session_count", sa.Integer(), nullable=True))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "toastkit_outbox",
        sa.Column("number", number, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("toastkit_outbox_id", "toastkit_outbox", ["id"], unique=True)
    op.create_index("toastkit_outbox_user", "toastkit_outbox", ["user_id"], unique=False)
    # Undecided toasts are looked for, and others that wait for an ack must not be read past.
    _index_due("state", "due_at")


def downgrade() -> None:
    _index_due("due_at")
    op.drop_table("toastkit_outbox")
    for name in ("session_count", "reason", "acked_at"):
        with op.batch_alter_table("toastkit_toasts") as table:
            table.drop_column(name)
