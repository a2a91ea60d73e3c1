"""Run the app of these tests in werkzeug's development server, on a socket given by its number."""

import sys

from werkzeug.serving import make_server

from tests.e2e.app import create_app

if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, create_app(), threaded=True, fd=int(sys.argv[1]))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
