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

from example_app import logs
from example_app.settings import Settings, ensure_joined
from toastkit.errors import ConfigError, ToastKitError
from toastkit_flask.gunicorn import *  # noqa: F403  (the hooks that let a worker stop in time)

_json = logs.is_json(os.environ.get("LOG_FORMAT"))
try:
    _settings = Settings.read(os.environ)
except ConfigError as error:
    sys.exit(logs.refusal(error, json=_json))

_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
bind = [f"{_host}:{_settings.port}"]
workers = _settings.workers
worker_class = "gevent"
worker_connections = _settings.config.connections + 1000  # sockets, and HTTP requests beside them
backlog = 2048
keepalive = 75  # longer than the 60 s after which proxies drop a connection they keep
graceful_timeout = 5
share_metrics()  # noqa: F405
control_socket_disable = True  # it would stand in a home directory, and two services share one


logs.set_up(json=_json)
if _json:
    logger_class = logs.JsonLogger


def on_starting(server: Any) -> None:
    """Make ready what the workers share, in the process that starts them."""
    from example_app.starting import make_ready

    try:
        ensure_joined(_settings.config, server.cfg.workers, f"-w {server.cfg.workers}")
        make_ready(_settings)
    except ToastKitError as error:
        sys.exit(logs.refusal(error, json=_json))


def nworkers_changed(server: Any, new: int, old: int | None) -> None:
    """Keep SIGTTIN from adding workers that would deny the clients of the others."""
    if old is not None and new > 1 and not _settings.config.redis_url:
        server.log.warning("one worker is left: several need Redis between them (REDIS_URL)")
        server.num_workers = 1


# Every connection is a file, and many systems allow no more than 1024 unless asked.
_allowed, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = worker_connections + 1000
if _allowed < _wanted:
    _most = _wanted if _most == resource.RLIM_INFINITY else min(_most, _wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))

# Whoever writes an access log writes no tokens: the path without its query string, no Referer.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
