"""Look at a PostgreSQL server and at what its role may do."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import Connection

from .tables import toasts

FACTS = f"""
SELECT
  current_setting('server_version') AS version,
  current_setting('server_encoding') AS encoding,
  current_setting('max_connections')::int AS most,
  current_setting('superuser_reserved_connections')::int AS reserved,
  (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL) AS used,
  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_limit,
  (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_limit,
  pg_is_in_recovery() AS standby,
  (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')
    AS read_only,
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
  (SELECT has_table_privilege(oid, 'INSERT') FROM pg_class
    WHERE oid = to_regclass('{toasts.name}')) AS may_write,
  current_user::text AS role
"""  # noqa: S608  # the name of a table of ours
"""``read_only`` as it is for sessions that do not say: ours, which looks, is read-only itself."""


class ServerFacts(Struct, frozen=True, kw_only=True):
    """Hold what is known of a server.

    ``used`` counts the connections to it now, ``most`` and the limits those it takes; a limit of
    -1 is none. ``may_write`` is ``None`` where there are no tables yet. ``ahead_ms`` is how far its
    clock is ahead of this machine's, as far as the way to it allows to tell (``blur_ms``).
    """

    version: str
    encoding: str
    most: int
    reserved: int
    used: int
    role_limit: int
    database_limit: int
    standby: bool
    read_only: bool
    may_create: bool
    may_write: bool | None
    role: str
    ahead_ms: int
    blur_ms: int


def look_at_server(connection: Connection, now: Callable[[], int]) -> ServerFacts:
    """Look at the server of a connection; ``now`` is this machine's clock, in milliseconds."""
    row = connection.exec_driver_sql(FACTS).mappings().one()
    before = now()
    theirs = connection.exec_driver_sql(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    ).scalar_one()
    after = now()
    ahead = theirs - (before + after) // 2
    return ServerFacts(**row, ahead_ms=ahead, blur_ms=(after - before + 1) // 2)
