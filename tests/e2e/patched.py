"""Gunicorn's settings as the documentation has them for gevent: patch first, then the hooks."""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

from toastkit_flask.gunicorn import *  # noqa: F403
