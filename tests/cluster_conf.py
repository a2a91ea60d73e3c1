"""Gunicorn's settings for tests/cluster.py: gevent, our hooks, and a door for every worker.

All workers answer at the first address. Each place has one more of its own, where only whoever
works at that place answers: the successor of a worker takes the place that is free.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

from collections import Counter

from tests import cluster_app
from toastkit_flask import gunicorn as hooks
from toastkit_flask.gunicorn import *  # noqa: F403


def pre_fork(server, worker):
    """Choose the place of the worker to come, in the master."""
    taken = Counter(each.place for each in server.WORKERS.values())
    worker.place = min(range(len(server.LISTENERS) - 1), key=lambda place: taken[place])


def post_fork(server, worker):
    everybodys, *doors = worker.sockets
    worker.sockets = [everybodys, doors[worker.place]]


def post_worker_init(worker):
    hooks.post_worker_init(worker)
    cluster_app.begin(worker.place)
