"""Every series there is: its name, what it tells, and its labels, none of which names anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Mode = Literal["", "livesum", "livemax", "livemin"]

PREFIX = "toastkit_"

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LAG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Describe one metric.

    ``mode`` says what a gauge is over all workers: their sum, or the largest or smallest of them;
    a worker that has ended counts no more. ``buckets`` are the upper bounds of a histogram. Equal
    only to itself, so that it costs little as a key.
    """

    kind: Kind
    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    mode: Mode = ""
    buckets: tuple[float, ...] = ()


def _counter(name: str, meaning: str, *labels: str) -> Family:
    return Family("counter", PREFIX + name, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str, mode: Mode) -> Family:
    return Family("gauge", PREFIX + name, meaning, labels, mode=mode)


def _histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = FAST) -> Family:
    return Family("histogram", PREFIX + name, meaning, labels, buckets=buckets)


PUBLISHED = _counter(
    "published_total", "Toasts published, by what became of them", "status", "transport", "reason"
)
WRITTEN = _counter("written_total", "Foreground connections that published toasts went to")
CONTROLS = _counter("controls_total", "Controls told")
CONFIRM = _histogram("confirm_seconds", "How long publishes waited for the workers' answers")
UNCONFIRMED = _counter("unconfirmed_total", "Toasts that not every worker answered for in time")
DELIVERIES = _counter("deliveries_total", "Deliveries that have ended", "kind", "state")
WAITING = _gauge("deliveries_waiting", "Deliveries that are owed still", "kind", mode="livemax")

WORKERS = _gauge("workers", "Processes that serve", mode="livesum")
CONNECTIONS = _gauge(
    "connections", "Clients that are connected", "dialect", "transport", mode="livesum"
)
OPENED = _counter("connections_opened_total", "Clients that came", "dialect", "transport")
CLOSED = _counter("connections_closed_total", "Clients that went", "dialect", "transport", "reason")
REFUSED = _counter("handshakes_refused_total", "Clients told why they may not stay", "reason")
RECOVERIES = _counter("recoveries_total", "Wishes to be told what was missed", "result")
REPLAYED = _counter("replayed_total", "Toasts lined up for clients that had missed them")

HTTP = _counter("http_requests_total", "Requests answered", "operation", "status")
HTTP_SECONDS = _histogram(
    "http_request_seconds", "How long requests took until their answer began", "operation"
)
COMMIT = _histogram("commit_seconds", "How long commits of the writer took")
LOOP_LAG = _histogram(
    "loop_lag_seconds",
    "How late the loop came to what was due, looked at all the time",
    buckets=LAG,
)
LOOP_LAG_MAX = _gauge(
    "loop_lag_max_seconds", "The latest of the last one to two minutes", mode="livemax"
)
BACKPLANE_UP = _gauge(
    "backplane_up", "1: every worker reaches what joins them; 0: one does not", mode="livemin"
)
BACKPLANE = _counter("backplane_events_total", "What happened to the backplane", "event")

FAMILIES = (
    *(PUBLISHED, WRITTEN, CONTROLS, CONFIRM, UNCONFIRMED, DELIVERIES, WAITING),
    *(WORKERS, CONNECTIONS, OPENED, CLOSED, REFUSED, RECOVERIES, REPLAYED),
    *(HTTP, HTTP_SECONDS, COMMIT, LOOP_LAG, LOOP_LAG_MAX, BACKPLANE_UP, BACKPLANE),
)
"""All of them, in the order they are explained in."""
