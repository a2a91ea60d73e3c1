"""The app for a WSGI server: ``example_app.wsgi:app``.

Never demo mode unless ``TOASTKIT_DEMO=1`` chose it: without an identity provider it says so in
one line and does not start.
"""

from __future__ import annotations

import os
import sys

from toastkit.errors import ToastKitError

from . import logs
from .factory import create_app

GUNICORN_APP_LOAD_ERROR = 4
"""The exit code on which gunicorn's master gives up instead of starting the worker again."""

try:
    app = create_app()
except ToastKitError as error:
    json = logs.is_json(os.environ.get("LOG_FORMAT"))
    sys.stderr.write(logs.refusal(error, json=json) + "\n")
    raise SystemExit(GUNICORN_APP_LOAD_ERROR) from None
