"""What is owed to the outside world: whether anybody carries it, and whether pushes can be sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..clock import iso
from ..deliveries import read_steps
from ..storage import Rows, Waiting
from .findings import Finding, fail, info, ok, warn
from .patient import Facts, KeyFacts, Patient

NAME, PUSHES, TOASTS = "deliveries", "apns", "toasts"

LATE_MS = 60_000
"""Whoever carries looks twice a second: what is due for a minute is carried by nobody."""


def gather(patient: Patient) -> KeyFacts | None:
    """Sign once with Apple's key, if the settings name one."""
    config = patient.config
    if not config.apns_key_file or patient.trouble:
        return None  # what is wrong with it may be that trouble
    from ..senders.apns import ApnsSettings
    from ..senders.apns.token import ProviderToken

    ProviderToken(ApnsSettings.of(config), patient.clock).current()
    return KeyFacts(mode=Path(config.apns_key_file).stat().st_mode & 0o777)


def check(facts: Facts) -> Iterator[Finding]:
    """Say who carries what."""
    kinds = () if facts.patient.kit is None else facts.patient.kit.deliveries.kinds
    if facts.key is not None:
        yield from _check_key(facts.key)
    if facts.patient.kit is not None:
        yield from _check_steps(facts.patient, kinds)
    if facts.clock is None or facts.database is None or facts.database.rows is None:
        return
    now, rows = facts.clock.second, facts.database.rows
    for waiting in rows.waiting:
        yield from _check_waiting(waiting, facts.patient, now)
    yield from _check_undecided(rows, now)


def _check_key(key: KeyFacts) -> Iterator[Finding]:
    yield ok(PUSHES, "the key can be read, and signs")
    if key.mode & 0o007:
        yield warn(
            PUSHES,
            f"everybody on this machine may read the key (mode {key.mode:o})",
            "chmod 600 the file of TOASTKIT_APNS_KEY_FILE",
        )


def _check_steps(patient: Patient, kinds: tuple[str, ...]) -> Iterator[Finding]:
    steps = read_steps(patient.config.fallback)
    for step in steps:
        if step.kind in kinds:
            continue
        if step.kind == "apns":
            yield info(
                PUSHES,
                "no pushes are sent to phones: nothing says whose key signs them",
                "set TOASTKIT_APNS_TEAM_ID, TOASTKIT_APNS_KEY_ID and TOASTKIT_APNS_KEY_FILE",
            )
        else:
            yield fail(
                NAME,
                f"no sender carries the step {step.kind!r} of TOASTKIT_FALLBACK",
                f"give ToastKit(senders=[...]) one of kind {step.kind!r}, or leave the step out",
            )
    if kinds:
        yield ok(NAME, f"there are senders for {', '.join(kinds)}")
    if kinds and not patient.config.carry:
        yield info(
            NAME,
            "TOASTKIT_CARRY=0: processes that serve carry nothing",
            f"keep another one running: {patient.command} courier",
        )


def _check_waiting(waiting: Waiting, patient: Patient, now: int) -> Iterator[Finding]:
    late = now - (now if waiting.due_since is None else waiting.due_since)
    if late < LATE_MS:
        return
    kinds = () if patient.kit is None else patient.kit.deliveries.kinds
    count = f"{waiting.number} of {waiting.kind} wait, due since {iso(now - late)}"
    if patient.kit is not None and waiting.kind not in kinds:
        remedy = f"nothing here carries {waiting.kind}: give ToastKit(senders=[...]) a sender of it"
    elif not patient.config.carry:
        remedy = f"TOASTKIT_CARRY=0, so a courier must run: {patient.command} courier"
    else:
        remedy = (
            f"a process that serves carries them: start one, or {patient.command} courier. If one "
            f"runs, the other side is away: {patient.command} deliveries has its last answers"
        )
    yield warn(NAME, count, remedy)


def _check_undecided(rows: Rows, now: int) -> Iterator[Finding]:
    since = rows.undecided_since
    if since is not None and now - since >= LATE_MS:
        yield warn(
            TOASTS,
            f"{rows.undecided} were published and wait to be decided, since {iso(since)}",
            "start the app: no process that serves uses this database",
        )
