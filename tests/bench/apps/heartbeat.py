"""A beat on the loop of a server, which tells how long the loop has stood still."""

from time import perf_counter

import gevent
from flask import Blueprint

SECONDS = 0.005

heartbeat = Blueprint("heartbeat", __name__)
_worst = [0.0]
_beats = []


@heartbeat.get("/standstill")
def standstill():
    """Tell how late the latest beat was since this was asked last; the first asks it to begin."""
    if not _beats:
        _beats.append(gevent.spawn(_beat))
    worst, _worst[0] = _worst[0], 0.0
    return {"ms": worst * 1000}


def _beat():
    while True:
        due = perf_counter() + SECONDS
        gevent.sleep(SECONDS)
        _worst[0] = max(_worst[0], perf_counter() - due)
