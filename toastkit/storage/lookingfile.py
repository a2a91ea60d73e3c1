"""Look at an SQLite file and at where it lies."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL

LOCK_SECONDS = 1.0
EFFECTIVE = os.access in os.supports_effective_ids
MOUNTS = Path("/proc/self/mountinfo")


class FileFacts(Struct, frozen=True, kw_only=True):
    """Hold what is known of a file.

    ``trouble`` says why it cannot be read, ``refused`` why it cannot be written. Sizes are bytes;
    ``log`` is the size of the log beside it. ``filesystem`` is empty where the system does not tell.
    """

    path: str
    exists: bool
    trouble: str = ""
    refused: str = ""
    locked: bool = False
    version: str = sqlite3.sqlite_version
    journal: str = ""
    size: int = 0
    log: int = 0
    mode: int = 0
    folder: str = ""
    folder_writable: bool = True
    filesystem: str = ""
    free: int | None = None


def look_at_file(url: URL) -> FileFacts:
    """Look at the file a URL names; makes none."""
    path = Path(url.database or "")
    folder, log = path.parent, Path(f"{path}-wal")
    if not folder.is_dir():
        return FileFacts(
            path=str(path), exists=False, trouble=f"the folder {folder} does not exist"
        )
    exists = path.exists()
    trouble, refused, locked, journal = _opened(path) if exists else ("", "", False, "")
    return FileFacts(
        path=str(path),
        exists=exists,
        trouble=trouble,
        refused=refused,
        locked=locked,
        journal=journal,
        size=path.stat().st_size if exists else 0,
        log=log.stat().st_size if log.exists() else 0,
        mode=path.stat().st_mode & 0o777 if exists else 0,
        folder=str(folder),
        folder_writable=os.access(folder, os.W_OK | os.X_OK, effective_ids=EFFECTIVE),
        filesystem=filesystem_of(folder.resolve(), _mounts()),
        free=_free(folder),
    )


def filesystem_of(folder: Path, mounts: str) -> str:
    """Return the kind of file system a folder is on, by the text of Linux's ``mountinfo``."""
    best, found = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) < 5 or not after:
            continue
        point = words[4].encode().decode("unicode_escape", "replace")  # spaces are \040
        # The last one that is mounted at a place hides the others.
        if folder.is_relative_to(point) and len(point) >= best:
            best, found = len(point), after.split(" ")[0]
    return found


def _opened(path: Path) -> tuple[str, str, bool, str]:
    """Return why it cannot be read, why not written, whether it is locked, and its journal."""
    try:
        # By no engine of ours: those would make the file a log, and change its journal for good.
        with closing(sqlite3.connect(_uri(path), timeout=LOCK_SECONDS, uri=True)) as connection:
            connection.isolation_level = None
            journal = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            refused, locked = _refused(connection)
            return "", refused, locked, journal
    except sqlite3.Error as error:
        return str(error), "", False, ""


def _refused(connection: sqlite3.Connection) -> tuple[str, bool]:
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute("BEGIN IMMEDIATE")
        # To take the lock is granted on a file that is read-only, too.
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        locked = (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        return ("" if locked else str(error)), locked
    return "", False


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
