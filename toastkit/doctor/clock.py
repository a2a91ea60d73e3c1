"""The clock of this machine: everything that is kept says a time of it."""

from __future__ import annotations

from collections.abc import Iterator

from ..clock import iso
from ..storage import ServerFacts
from .findings import Finding, fail, ok, warn
from .patient import ClockFacts, Facts, Patient

NAME = "clock"

BEGINNING, END = 1_767_225_600_000, 4_102_444_800_000
"""The years 2026 and 2100: before the one toastkit was not, after the other this is old."""

JUMP_MS = 1_000

WARN_MS, FAIL_MS = 2_000, 10_000
"""What machines may differ by: sessions that others revoke are looked for ten seconds back."""


def gather(patient: Patient) -> ClockFacts:
    """Read the clock again."""
    now, monotonic = patient.clock.now(), patient.clock.monotonic()
    first, began = patient.begun
    return ClockFacts(first, now, round((monotonic - began) * 1000))


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether it can be right, goes on evenly, and agrees with the database."""
    if facts.clock is not None:
        yield from _check_own(facts.clock)
        rows = None if facts.database is None else facts.database.rows
        if rows is not None and rows.newest_at is not None:
            yield from _check_newest(rows.newest_at, facts.clock.second)
    if facts.database is not None and facts.database.server is not None:
        yield from _check_server(facts.database.server)


def _check_own(facts: ClockFacts) -> Iterator[Finding]:
    if not BEGINNING <= facts.second < END:
        yield fail(
            NAME,
            f"it says {iso(facts.second)}",
            "set it (NTP): times to live, tokens and pushes go by it",
        )
        return
    jump = facts.second - facts.first - facts.elapsed
    if abs(jump) >= JUMP_MS:
        way = "forwards" if jump > 0 else "backwards"
        yield fail(
            NAME,
            f"it jumped {abs(jump) / 1000:.0f} s {way} while this ran",
            "let one program alone set it, and slew it (chrony, systemd-timesyncd)",
        )
    else:
        yield ok(NAME, f"it says {iso(facts.second)}")


def _check_newest(newest_at: int, now: int) -> Iterator[Finding]:
    if newest_at - now >= WARN_MS:
        yield warn(
            NAME,
            f"the newest toast was made {(newest_at - now) / 1000:.0f} s in the future",
            "this clock was set back, or that of another machine is ahead: let NTP set them all",
        )


def _check_server(server: ServerFacts) -> Iterator[Finding]:
    off = max(0, abs(server.ahead_ms) - server.blur_ms)
    if off < WARN_MS:
        yield ok(NAME, "it agrees with the database server's")
        return
    where = "behind" if server.ahead_ms > 0 else "ahead of"
    yield (fail if off >= FAIL_MS else warn)(
        NAME,
        f"this machine's is {off / 1000:.0f} s {where} the database server's",
        "let NTP set both: a session that another machine revokes is looked for ten seconds back, "
        "and from ten minutes on Apple refuses pushes",
    )
