"""Tell whether a connection is to toastkit's own database, and has its tables."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakSet

from sqlalchemy import Connection, Engine, inspect, make_url
from sqlalchemy.engine import URL

from ..errors import CannotJoin
from ..storage.tables import outbox

MISSING = (
    f"the table {outbox.name} is missing: with Flask-Migrate run flask db migrate and flask db "
    "upgrade, without it db.create_all()"
)
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


class Home:
    """Know toastkit's database when a host's connection leads to it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._path = Path(self._url.database or "").absolute()  # the process may change its folder
        self._known: WeakSet[Engine] = WeakSet()
        self._ready: WeakSet[Engine] = WeakSet()

    def reached_by(self, connection: Connection) -> bool:
        """Tell whether a connection leads to toastkit's database."""
        engine = connection.engine
        if engine not in self._known and self._is_here(connection):
            self._known.add(engine)
        return engine in self._known

    def ensure_ready(self, connection: Connection) -> None:
        """Make sure that toasts can be written there, where a failure would cost more than itself.

        On PostgreSQL a statement that fails ends the host's transaction. On SQLite it does not,
        but to look first would: one who has read cannot write any more if others wrote meanwhile.

        Raises:
            CannotJoin: toastkit's tables are missing.
        """
        engine = connection.engine
        if engine.dialect.name != "sqlite" and engine not in self._ready:
            if not inspect(connection).has_table(outbox.name):
                raise CannotJoin(MISSING)
            self._ready.add(engine)

    def _is_here(self, connection: Connection) -> bool:
        theirs = connection.engine.url
        if theirs.get_backend_name() != self._url.get_backend_name():
            return False
        if theirs.get_backend_name() != "sqlite":
            return _server(theirs) == _server(self._url)
        file = _file(connection)
        return file != "" and Path(file).resolve() == self._path.resolve()


def _file(connection: Connection) -> str:
    """Return the file of a connection; a URL may spell it in many ways. Memory has none."""
    for _number, name, path in connection.exec_driver_sql("PRAGMA database_list"):
        if name == "main":
            return str(path)
    return ""


def _server(url: URL) -> tuple[str, str, int]:
    host, port = url.host or url.query.get("host") or "", url.port or url.query.get("port") or 5432
    place = "" if host in _HERE else str(host)
    return place, url.database or url.username or "", int(str(port))
