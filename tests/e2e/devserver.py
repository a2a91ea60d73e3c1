"""Run the app of these tests in werkzeug's development server, on a socket given by its number."""

import signal
import sys

from werkzeug.serving import make_server

from tests.e2e.app import create_app

if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, create_app(), threaded=True, fd=int(sys.argv[1]))
    # Whoever runs the tests in the background has SIGINT ignored, and so would their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
