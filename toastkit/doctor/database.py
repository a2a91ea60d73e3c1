"""The database: whether it is there, can be written, and has the newest schema."""

from __future__ import annotations

from collections.abc import Iterator

from ..storage import DatabaseFacts, FileFacts, SchemaFacts, ServerFacts, look
from .findings import Finding, fail, info, ok, warn
from .patient import Facts, Patient

NAME = "database"

PER_WORKER = 18
"""Connections of a worker to a server: one writes, 16 read, one while it starts."""

OLDEST_SERVER = 14
"""Older ones get no repairs any more, and nobody tries toastkit with them."""

LITTLE_BYTES, NO_BYTES = 1 << 30, 64 << 20
LONG_LOG_BYTES = 256 << 20

NETWORK = frozenset(
    {
        *("9p", "afs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs"),
        *("fuse.sshfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "ocfs2", "smb2", "smb3"),
        *("smbfs", "vboxsf", "virtiofs"),
    }
)
MEMORY = frozenset({"ramfs", "tmpfs"})


def gather(patient: Patient) -> DatabaseFacts | None:
    """Look at the database that the settings name."""
    url = patient.config.database_url
    return look(url, patient.clock.now) if url else None


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether it can be used."""
    found = facts.database
    if found is None:
        return  # none is named: that is what the settings say
    if found.trouble:
        yield fail(NAME, f"{found.place} cannot be used: {found.trouble}", _remedy(found))
    else:
        yield from _check_schema(found, facts.patient)
    if found.file is not None:
        yield from _check_file(found.file)
    if found.server is not None:
        yield from _check_server(found.server)
        workers = 1 if facts.gunicorn is None else facts.gunicorn.workers
        yield from _check_room(found.server, workers)


def _remedy(facts: DatabaseFacts) -> str:
    if facts.file is None:
        return "start it, or correct TOASTKIT_DATABASE_URL; the findings below do not need it"
    if "does not exist" in facts.trouble:
        return f"mkdir -p the folder of {facts.file.path}, or correct TOASTKIT_DATABASE_URL"
    if "not a database" in facts.trouble:
        return "TOASTKIT_DATABASE_URL names a file of something else: name another"
    if "locked" in facts.trouble:
        return "another program holds it for itself: end that, or its transaction"
    return f"let this user read and write {facts.file.path} and its folder"


def _check_schema(facts: DatabaseFacts, patient: Patient) -> Iterator[Finding]:
    schema, kind, upgrade = facts.schema, _kind(facts), f"{patient.command} upgrade"
    if schema is None:
        yield info(
            NAME,
            f"{facts.place} is not there yet ({kind})",
            f"it is made at the first start, or by: {upgrade}",
        )
    elif schema.hosts or not patient.own_schema:
        yield _hosts(facts, schema)
    elif schema.version == schema.head:
        yield ok(NAME, f"{kind} at {facts.place}, at head ({schema.head})")
    elif schema.version is None:
        yield info(
            NAME,
            f"{kind} at {facts.place} has no tables of toastkit yet",
            f"they are made at the first start, or by: {upgrade}",
        )
    elif schema.version < schema.head:
        yield warn(
            NAME,
            f"{facts.place} is at revision {schema.version}; this version needs {schema.head}",
            f"{upgrade}, or let the next start of the app do it",
        )
    else:
        yield fail(
            NAME,
            f"{facts.place} is at revision {schema.version}, of a newer toastkit than this one, "
            f"which knows {schema.head}",
            "install that version here, or restore the copy made before the upgrade",
        )


def _hosts(facts: DatabaseFacts, schema: SchemaFacts) -> Finding:
    if schema.missing:
        some = ", ".join(schema.missing[:3]) + (", …" if len(schema.missing) > 3 else "")
        return fail(
            NAME,
            f"{facts.place} lacks {some}, which the app's own migrations are to make",
            "flask db migrate && flask db upgrade; without Flask-Migrate db.create_all()",
        )
    return ok(
        NAME, f"{_kind(facts)} at {facts.place}; the app's migrations made all that is needed"
    )


def _kind(facts: DatabaseFacts) -> str:
    if facts.server is not None:
        return f"PostgreSQL {facts.server.version.split(' ')[0]}"
    return f"SQLite {facts.file.version}" if facts.file is not None else "a database"


def _check_file(file: FileFacts) -> Iterator[Finding]:
    if file.refused:
        yield fail(
            NAME,
            f"{file.path} (mode {file.mode:o}) cannot be written by this user: {file.refused}",
            "run this as the user of the service; if that is so: chown the file and its folder",
        )
    if file.folder and not file.folder_writable:
        yield fail(
            NAME,
            f"this user may not write in {file.folder}, where SQLite keeps its log",
            "run this as the user of the service; if that is so: chown that folder",
        )
    if file.mode & 0o002:
        yield warn(
            NAME,
            f"everybody on this machine may write {file.path} (mode {file.mode:o})",
            f"chmod o= {file.path}",
        )
    if file.locked:
        yield warn(
            NAME,
            f"{file.path} was locked for a second",
            "end the program, or the transaction, that holds it: nothing can be published meanwhile",
        )
    if file.journal not in {"", "wal"} and file.size:
        yield warn(
            NAME,
            f"{file.path} keeps a {file.journal} journal; toastkit needs the log (WAL)",
            "it switches when it opens the file; if this stays, another program switches it back, or "
            "the file system has no shared memory",
        )
    if file.log > LONG_LOG_BYTES:
        yield warn(
            NAME,
            f"the log beside {file.path} has {_size(file.log)}: nobody moves it into the file",
            "end whoever reads that file in one long transaction; then start the service",
        )
    yield from _check_place(file)


def _check_place(file: FileFacts) -> Iterator[Finding]:
    if file.filesystem in NETWORK:
        yield warn(
            NAME,
            f"{file.folder} is on a network file system ({file.filesystem}), where SQLite can lose "
            "and damage data",
            "put the file on a local disk, or use PostgreSQL",
        )
    if file.filesystem in MEMORY:
        yield warn(
            NAME,
            f"{file.folder} is in memory ({file.filesystem}): a restart of the machine empties it",
            "put the file on a disk",
        )
    if file.filesystem == "overlay":
        yield info(
            NAME,
            f"{file.folder} is a container's own layer, and goes with the container",
            "where it is to stay, put the file on a volume",
        )
    if file.free is not None and file.free < LITTLE_BYTES:
        text = f"{_size(file.free)} are free at {file.folder}"
        remedy = "make room: a full disk refuses every publish"
        yield (fail if file.free < NO_BYTES else warn)(NAME, text, remedy)


def _check_server(server: ServerFacts) -> Iterator[Finding]:
    if server.standby or server.read_only:
        why = "it is a standby" if server.standby else "default_transaction_read_only is on"
        yield fail(
            NAME,
            f"the server takes no writes: {why}",
            "name the primary in TOASTKIT_DATABASE_URL (…?target_session_attrs=read-write finds it)",
        )
    if server.may_write is False:
        yield fail(
            NAME,
            f"the role {server.role} may not write toastkit's tables",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON the toastkit_ tables TO {server.role}",
        )
    if server.may_write is None and not server.may_create:
        yield fail(
            NAME,
            f"there are no tables yet, and the role {server.role} may not make them",
            f"GRANT CREATE ON SCHEMA public TO {server.role}, or run toastkit upgrade as the owner",
        )
    if _major(server) < OLDEST_SERVER:
        yield warn(
            NAME,
            f"PostgreSQL {server.version} is older than toastkit is tried with",
            f"upgrade it to {OLDEST_SERVER} or newer",
        )
    if server.encoding != "UTF8":
        yield warn(
            NAME,
            f"the database's encoding is {server.encoding}: texts with other letters are refused",
            "make a database with ENCODING 'UTF8'",
        )


def _check_room(server: ServerFacts, workers: int) -> Iterator[Finding]:
    limits = (server.role_limit, server.database_limit)
    most = min([server.most - server.reserved, *(limit for limit in limits if limit >= 0)])
    wanted = PER_WORKER * workers
    if most < wanted:
        yield warn(
            NAME,
            f"the server lets {most} connections in (max_connections {server.most}); {workers} "
            f"workers may open {wanted}, and the app's own come on top",
            "raise max_connections, or the limit of the role or the database",
        )
    elif server.used + PER_WORKER > most:
        yield warn(
            NAME,
            f"{server.used} of {most} connections to the server are in use; a worker may open "
            f"{PER_WORKER}",
            "raise max_connections, or close what nobody uses (pg_stat_activity has them)",
        )


def _major(server: ServerFacts) -> int:
    digits = server.version.split(".")[0].split(" ")[0]
    return int(digits) if digits.isdecimal() else OLDEST_SERVER


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"
