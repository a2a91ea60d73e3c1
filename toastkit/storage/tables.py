"""Every table of toastkit.

Times are milliseconds since the epoch. ``app_id`` is empty while one application uses a database.
A table whose key is text and whose rows are small is kept without SQLite's row ids: one tree to
write instead of two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

PREFIX = "toastkit_"
metadata = MetaData()


def _table(name: str, *items: SchemaItem, small: bool = True) -> Table:
    app_id = Column("app_id", Text)
    return Table(PREFIX + name, metadata, *items, app_id, sqlite_with_rowid=not small)


def _partial(name: str, *columns: str, where: str) -> Index:
    """Index only the rows somebody looks for, so that all others cost nothing to write."""
    chosen = text(where)
    return Index(PREFIX + name, *columns, sqlite_where=chosen, postgresql_where=chosen)


principals = _table(
    "principals",
    Column("user_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
)

toasts = _table(
    "toasts",
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text),
    Column("style", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("deeplink", Text),
    Column("data", Text),
    Column("dedupe_key", Text),
    Column("collapse_key", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("lease_until", BigInteger),
    Column("fallback", Boolean, nullable=False),
    Column("transport", Text),
    Column("delivered_at", BigInteger),
    Column("seen_at", BigInteger),
    Column("read_at", BigInteger),
    Column("deleted_at", BigInteger),
    Column("replaced_by", Text),
    Column("acked_at", BigInteger),
    Column("reason", Text),
    Column("session_count", Integer),
    Index(PREFIX + "toasts_position", "user_id", "seq", unique=True),
    _partial("toasts_due", "state", "due_at", where="due_at IS NOT NULL"),
    _partial("toasts_expiry", "expires_at", where="expires_at IS NOT NULL"),
    _partial(
        *("toasts_collapse", "user_id", "collapse_key", "seq"),
        where="collapse_key IS NOT NULL AND replaced_by IS NULL",
    ),
)

outbox = _table(
    "outbox",
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(PREFIX + "outbox_id", "id", unique=True),
    Index(PREFIX + "outbox_user", "user_id"),
    small=False,
)
"""Toasts that were published inside a host's transaction and wait to be accepted, in the order of
``number``. Writing one locks nothing that others need, so a transaction may stay open for long."""

dedupe = _table(
    "dedupe",
    Column("user_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("toast_id", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "key"),
    Index(PREFIX + "dedupe_until", "until"),
)
"""Who holds a dedupe key, until when. A negative ``until`` is a released claim: the sign tells
that its toast reached nobody, the number when the window it stood for ends."""

deliveries = _table(
    "deliveries",
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("toast_id", Text),
    Column("user_id", Text),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger),
    Column("lease_until", BigInteger),
    Column("expires_at", BigInteger),
    Column("last_answer", Text),
    Column("seq", BigInteger),
    Column("despite_ack", Boolean),
    _partial("deliveries_due", "kind", "next_attempt_at", where="next_attempt_at IS NOT NULL"),
    _partial("deliveries_expiry", "expires_at", where="next_attempt_at IS NOT NULL"),
    _partial("deliveries_toast", "toast_id", where="toast_id IS NOT NULL"),
    _partial("deliveries_user", "user_id", where="user_id IS NOT NULL"),
    small=False,
)

devices = _table(
    "devices",
    Column("user_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("bundle_id", Text, nullable=False),
    Column("push_token", Text),
    Column("environment", Text, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("refused_at", BigInteger),
    PrimaryKeyConstraint("user_id", "device_id"),
    Index(PREFIX + "devices_device", "device_id", unique=True),
    Index(PREFIX + "devices_push_token", "push_token", unique=True),
    _partial(
        *("devices_taken", "bundle_id", "environment", "taken_at"), where="taken_at IS NOT NULL"
    ),
)

sessions = _table(
    "sessions",
    Column("token_hash", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index(PREFIX + "sessions_user", "user_id"),
    Index(PREFIX + "sessions_expiry", "expires_at"),
    _partial("sessions_revoked", "revoked_at", where="revoked_at IS NOT NULL"),
)

tickets = _table(
    "tickets",
    Column("token_hash", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("session_hash", Text),
    Column("expires_at", BigInteger, nullable=False),
    Index(PREFIX + "tickets_user", "user_id"),
    Index(PREFIX + "tickets_expiry", "expires_at"),
)

anonymous = _table(
    "anonymous",
    Column("device_hash", Text, primary_key=True),
    Column("anon_uuid", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("rebound_to", Text),
    Column("rebound_at", BigInteger),
    Column("secret_hash", Text),
    Index(PREFIX + "anonymous_uuid", "anon_uuid", unique=True),
    _partial("anonymous_rebound", "rebound_to", where="rebound_to IS NOT NULL"),
)
