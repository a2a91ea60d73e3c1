"""Gather the facts of one kit, and check them; nothing holds up or spoils what else is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..runtime import runtime_for
from . import clock, database, gunicorn, machine, owed, patching, redis, settings
from .findings import Finding, Report, fail
from .patient import Facts, NamedCheck, Patient

SECONDS = 10.0
"""How long one kind of facts may take to be gathered."""

Gather = Callable[[Patient], Any]

# Asking a name server or a file system that is gone may hang in the kernel. The others are bounded
# by themselves, and what they do (start a process) gevent wants done in the main thread.
APART: dict[str, Gather] = {
    "database": database.gather,
    "redis": redis.gather,
    "key": owed.gather,
}
HERE: dict[str, Gather] = {
    "gunicorn": gunicorn.gather,
    "gevent": patching.gather,
    "machine": machine.gather,
    "clock": clock.gather,
}

CHECKS: tuple[NamedCheck, ...] = (
    ("settings", settings.check),
    ("database", database.check),
    ("redis", redis.check),
    ("clock", clock.check),
    ("gunicorn", gunicorn.check),
    ("gevent", patching.check),
    ("files", machine.check),
    ("deliveries", owed.check),
)


def examine(patient: Patient) -> Report:
    """Say how everything is; takes seconds at most, changes nothing and raises nothing."""
    facts = gather(patient)
    findings = [*facts.broken]
    for name, check in (*CHECKS, *patient.more):
        try:
            findings += check(facts)
        except Exception as error:  # noqa: BLE001  # the others have their say all the same
            findings.append(_broken(name, error))
    names = list(dict.fromkeys(each.name for each in findings))
    findings.sort(key=lambda each: names.index(each.name))  # what is of one matter together
    return Report(tuple(findings), settings.shown(patient))


def gather(patient: Patient) -> Facts:
    """Gather everything that is looked at; what could not be is told in ``broken``."""
    found: dict[str, Any] = {}
    broken = []
    for name, gather in (APART | HERE).items():
        try:
            found[name] = _apart(gather, patient) if name in APART else gather(patient)
        except Exception as error:  # noqa: BLE001  # the others are gathered all the same
            broken.append(_broken(name, error))
    return Facts(patient=patient, broken=tuple(broken), **found)


def _broken(name: str, error: Exception) -> Finding:
    text = " ".join(str(error).split()) or "nothing more is known"
    return fail(name, f"this could not be looked at: {type(error).__name__}: {text}", "")


def _apart(gather: Gather, patient: Patient) -> Any:
    """Gather in a native thread, which is left behind when it takes too long."""
    runtime = runtime_for("auto")
    done, found = runtime.signal(), list[Any]()
    failed: list[Exception] = []

    def job() -> None:
        try:
            found.append(gather(patient))
        except Exception as error:  # noqa: BLE001  # raised again where it is waited for
            failed.append(error)
        done.set()

    runtime.thread(job)
    done.wait(SECONDS)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError(f"no answer within {SECONDS:.0f} s")
    return found[0]
