"""The hooks as the documentation has them, in a worker that hears last requests for longer."""

from tests.e2e.patched import *  # noqa: F403
from toastkit_flask import gunicorn

gunicorn.LAST_SECONDS = 5.0
