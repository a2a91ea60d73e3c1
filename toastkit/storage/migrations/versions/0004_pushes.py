"""Which toast a delivery was owed for, and what pushes have taught about devices."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("toastkit_deliveries", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("toastkit_deliveries", sa.Column("despite_ack", sa.Boolean(), nullable=True))
    op.add_column("toastkit_devices", sa.Column("taken_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "toastkit_devices", sa.Column("refused", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("toastkit_devices", sa.Column("refused_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "toastkit_devices_taken",
        "toastkit_devices",
        ["bundle_id", "environment", "taken_at"],
        unique=False,
        sqlite_where=sa.text("taken_at IS NOT NULL"),
        postgresql_where=sa.text("taken_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("toastkit_devices_taken", table_name="toastkit_devices")
    with op.batch_alter_table("toastkit_devices") as table:
        table.drop_column("refused_at")
        table.drop_column("refused")
        table.drop_column("taken_at")
    with op.batch_alter_table("toastkit_deliveries") as table:
        table.drop_column("despite_ack")
        table.drop_column("seq")
