"""Gunicorn's settings: ``gunicorn -c example_app/gunicorn.conf.py example_app.wsgi:app``.

``python -m example_app`` uses this file too.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()  # before anything below keeps an unpatched lock or socket

import os
import resource
import sys
from typing import Any

from example_app.settings import Settings
from toastkit.errors import ConfigError
from toastkit_flask.gunicorn import *  # noqa: F403  (the hooks that let a worker stop in time)

try:
    _settings = Settings.read(os.environ)
except ConfigError as error:
    sys.exit(f"example_app: {error}")

_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
bind = [f"{_host}:{_settings.port}"]
workers = 1
worker_class = "gevent"
worker_connections = _settings.config.connections + 1000  # sockets, and HTTP requests beside them
backlog = 2048
keepalive = 75  # longer than the 60 s after which proxies drop a connection they keep
graceful_timeout = 5
control_socket_disable = True  # it would stand in a home directory, and two services share one


def on_starting(server: Any) -> None:
    """Refuse what ``-w`` asked for: several workers would each deny the clients of the others."""
    if server.cfg.workers != workers:
        sys.exit("example_app: several workers need the Redis backplane; there is none: omit -w")


# Every connection is a file, and many systems allow no more than 1024 unless asked.
_allowed, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = worker_connections + 1000
if _allowed < _wanted:
    _most = _wanted if _most == resource.RLIM_INFINITY else min(_most, _wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))

# Whoever writes an access log writes no tokens: the path without its query string, no Referer.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
