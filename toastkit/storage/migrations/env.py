"""Run migrations on the connection the caller gives, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from toastkit.storage.tables import PREFIX, metadata
from toastkit.storage.upgrade import VERSION_TABLE


def _ours(_object: object, name: str | None, type_: str, *_rest: object) -> bool:
    """Leave a host's tables alone: toastkit may live in its database."""
    return type_ != "table" or (name or "").startswith(PREFIX)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
    include_object=_ours,
)
context.run_migrations()
