"""Run migrations on the connection the caller gives, inside the caller's transaction.

Without one they are written down as SQL.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from toastkit.storage.tables import PREFIX, metadata
from toastkit.storage.upgrade import VERSION_TABLE


def _ours(_object: object, name: str | None, type_: str, *_rest: object) -> bool:
    """Leave a host's tables alone: toastkit may live in its database."""
    return type_ != "table" or (name or "").startswith(PREFIX)


given: dict[str, Any] = {
    "target_metadata": metadata,
    "version_table": VERSION_TABLE,
    "transactional_ddl": True,
    "render_as_batch": True,
    "include_object": _ours,
}
if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"], literal_binds=True, **given
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(connection=context.config.attributes["connection"], **given)
    context.run_migrations()
