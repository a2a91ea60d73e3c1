"""What one process of this machine may use: open files, memory."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .findings import Finding, ok, warn
from .patient import Facts, MachineFacts, Patient

NAME, MEMORY = "files", "memory"

SPARE_FILES = 500
"""What a process opens besides its clients: requests, the database, pushes."""

PER_CLIENT, PER_PROCESS = 2048, 100 << 20
"""Bytes of an idle client and of an app without any, about."""

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def gather(_patient: Patient) -> MachineFacts:
    """Read the limits of this process."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MachineFacts(_count(files), _count(most), _memory())


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether as many clients may come as the settings let in."""
    machine, clients = facts.machine, facts.patient.config.connections
    if machine is None:
        return
    raised = 0 if facts.gunicorn is None else facts.gunicorn.files
    files, wanted = max(machine.files, raised), clients + SPARE_FILES
    if files >= wanted:
        yield ok(NAME, f"a process may open {files}: enough for {clients} connections")
    else:
        yield warn(
            NAME,
            f"a process started from here may open {files}; {clients} connections "
            f"(TOASTKIT_CONNECTIONS) need {wanted}",
            f"LimitNOFILE={wanted} in the unit, or ulimit -n {wanted} (at most "
            f"{machine.most_files} here); or set TOASTKIT_CONNECTIONS lower",
        )
    need = PER_PROCESS + clients * PER_CLIENT
    if machine.memory is not None and machine.memory < need:
        yield warn(
            MEMORY,
            f"this process may use {machine.memory >> 20} MiB; {clients} idle connections and an "
            f"app need about {need >> 20} MiB",
            "give it more, or set TOASTKIT_CONNECTIONS lower",
        )


def _count(limit: int) -> int:
    return 1 << 30 if limit == resource.RLIM_INFINITY else limit


def _memory() -> int | None:
    """Return the least of what a container, this process and the machine have."""
    found = []
    for file in LIMITS:
        with suppress(OSError, ValueError):  # "max" is no number, and no limit
            found.append(int(file.read_text(encoding="ascii")))
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        found.append(limit)
    return min(found, default=None)
