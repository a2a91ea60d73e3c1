# ruff: noqa: E402, F403
from gevent import monkey

monkey.patch_all()

from toastkit_flask.gunicorn import *
