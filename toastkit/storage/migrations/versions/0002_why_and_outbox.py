"""Why a toast was or was not seen; toasts published inside a host's transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


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


def downgrade() -> None:
    op.drop_table("toastkit_outbox")
    for name in ("session_count", "reason", "acked_at"):
        with op.batch_alter_table("toastkit_toasts") as table:
            table.drop_column(name)
