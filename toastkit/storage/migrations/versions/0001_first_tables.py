"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    "anonymous",
    "dedupe",
    "deliveries",
    "devices",
    "principals",
    "sessions",
    "tickets",
    "toasts",
)


def _anonymous() -> None:
    op.create_table(
        "toastkit_anonymous",
        sa.Column("device_hash", sa.Text(), nullable=False),
        sa.Column("anon_uuid", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("rebound_to", sa.Text(), nullable=True),
        sa.Column("rebound_at", sa.BigInteger(), nullable=True),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("device_hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("toastkit_anonymous_uuid", "toastkit_anonymous", ["anon_uuid"], unique=True)


def _dedupe() -> None:
    op.create_table(
        "toastkit_dedupe",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("toast_id", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "key"),
        sqlite_with_rowid=False,
    )


def _deliveries() -> None:
    op.create_table(
        "toastkit_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("toast_id", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_answer", sa.Text(), nullable=True),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index_some("deliveries", "due", "next_attempt_at", where="next_attempt_at IS NOT NULL")
    _index_some("deliveries", "toast", "toast_id", where="toast_id IS NOT NULL")
    _index_some("deliveries", "user", "user_id", where="user_id IS NOT NULL")


def _devices() -> None:
    op.create_table(
        "toastkit_devices",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("bundle_id", sa.Text(), nullable=False),
        sa.Column("push_token", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "device_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("toastkit_devices_device", "toastkit_devices", ["device_id"], unique=True)
    op.create_index("toastkit_devices_push_token", "toastkit_devices", ["push_token"], unique=True)


def _principals() -> None:
    op.create_table(
        "toastkit_principals",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id"),
        sqlite_with_rowid=False,
    )


def _sessions() -> None:
    op.create_table(
        "toastkit_sessions",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("toastkit_sessions_expiry", "toastkit_sessions", ["expires_at"], unique=False)
    op.create_index("toastkit_sessions_user", "toastkit_sessions", ["user_id"], unique=False)


def _tickets() -> None:
    op.create_table(
        "toastkit_tickets",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("session_hash", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("toastkit_tickets_expiry", "toastkit_tickets", ["expires_at"], unique=False)
    op.create_index("toastkit_tickets_user", "toastkit_tickets", ["user_id"], unique=False)


def _toasts() -> None:
    op.create_table(
        "toastkit_toasts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("deeplink", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("collapse_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )


def _toasts_indexes() -> None:
    op.create_index("toastkit_toasts_position", "toastkit_toasts", ["user_id", "seq"], unique=True)
    open_ = "collapse_key IS NOT NULL AND replaced_by IS NULL"
    _index_some("toasts", "collapse", "user_id", "collapse_key", "seq", where=open_)
    _index_some("toasts", "due", "due_at", where="due_at IS NOT NULL")
    _index_some("toasts", "expiry", "expires_at", where="expires_at IS NOT NULL")


def _index_some(table: str, name: str, *columns: str, where: str) -> None:
    op.create_index(
        f"toastkit_{table}_{name}",
        f"toastkit_{table}",
        list(columns),
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def upgrade() -> None:
    _anonymous()
    _dedupe()
    _deliveries()
    _devices()
    _principals()
    _sessions()
    _tickets()
    _toasts()
    _toasts_indexes()


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(f"toastkit_{name}")
