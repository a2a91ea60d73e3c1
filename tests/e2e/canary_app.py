"""A host that writes down all it can: every logger at DEBUG, every access, every traceback."""

import logging
import os

from flask import Flask, request

from toastkit.verifiers import StaticVerifier
from toastkit_flask import ToastKit, session_required


def create_app():
    """Make the app; the tests pass settings as ``TOASTKIT_`` variables."""
    logging.basicConfig(level=logging.DEBUG, force=True)
    app = Flask(__name__)
    app.config.update(
        {key: value for key, value in os.environ.items() if key.startswith("TOASTKIT_")}
    )
    toastkit = ToastKit(app, verifiers=[StaticVerifier(os.environ["CANARY_PEM"])])
    toastkit.user_loader(lambda: request.headers.get("X-User"))

    @app.get("/fails")
    @session_required
    def fails():
        raise RuntimeError("this view always fails")

    return app
