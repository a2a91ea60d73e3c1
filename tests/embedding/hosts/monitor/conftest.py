import threading

import monitor
import pytest
from werkzeug.serving import make_server


@pytest.fixture
def client(tmp_path):
    monitor.app.config.update(TESTING=True, DATABASE=str(tmp_path / "monitor.sqlite"))
    return monitor.app.test_client()


@pytest.fixture
def url(client):
    """Serve the app for real: WebSockets need a server."""
    server = make_server("127.0.0.1", 0, monitor.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
