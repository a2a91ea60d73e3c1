"""A host whose worker ends where a test wants it to: the file ``RACES_ARMED`` names the point."""

import os
import signal

from tests.e2e.app import create_app as create_host
from tests.failpoints import install


def create_app():
    """Make the app of the end-to-end tests, armed."""
    install(die_if_armed)
    app = create_host()

    @app.after_request
    def answered(response):
        die_if_armed("before answer")
        response.call_on_close(lambda: die_if_armed("after answer"))
        return response

    return app


def die_if_armed(point):
    """End this process as the kernel would, if that is what the file says; once."""
    armed = os.environ["RACES_ARMED"]
    try:
        with open(armed, encoding="utf-8") as file:
            if file.read() != point:
                return
        os.rename(armed, f"{armed}.fired")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
