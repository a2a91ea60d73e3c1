"""A database that does not answer: the worker's sockets do not notice, a publish is refused."""

import json
import signal
import threading
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.races.crowd import AUTHORIZED, SECRET

pytestmark = pytest.mark.plain
ADA = {"user_id": "ada", "topic": "user:ada"}


@contextmanager
def away(shared, postgres_pid):
    """Let the database answer nobody: SQLite is locked, PostgreSQL's processes are stopped."""
    if shared.name == "sqlite":
        with shared.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            connection.exec_driver_sql("ROLLBACK")
        return
    server = psutil.Process(postgres_pid())
    everybody = [server, *server.children()]
    for process in everybody:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in everybody:
            process.send_signal(signal.SIGCONT)


def test_sockets_live_on_while_the_database_does_not_answer(serve, shared, request):
    def pid():
        return request.getfixturevalue("postgres")._server.get_pid()

    server = serve(TOASTKIT_DATABASE_URL=shared.url, TOASTKIT_PUBLISH_SECRET=SECRET)
    answers = []

    def publish(title):
        began = time.monotonic()
        body = ADA | {"toast": {"title": title}}
        status, _ = server.request("POST", "/v1/toasts/publish", body, **AUTHORIZED)
        answers.append((title, status, time.monotonic() - began))

    with server.join("ada") as page:
        publish("before")
        assert json.loads(page.recv(timeout=5))["toast"]["title"] == "before"
        with away(shared, pid):
            refused = threading.Thread(target=publish, args=("meanwhile",))
            refused.start()
            until, slowest = time.monotonic() + 3, 0.0
            while time.monotonic() < until:
                began = time.monotonic()
                page.send('{"type":"ping"}')
                assert json.loads(page.recv(timeout=5))["type"] == "pong"
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.06)
            refused.join(10)
        assert slowest < 1  # a busy machine; who waits for the database waits twice that
        assert answers[1][:2] == ("meanwhile", 503)
        assert answers[1][2] < 6  # two seconds, and a busy machine
        deadline = time.monotonic() + 10
        while not any(status == 202 for title, status, _ in answers if title == "after"):
            assert time.monotonic() < deadline
            publish("after")
        assert json.loads(page.recv(timeout=5))["toast"]["title"] == "after"
    assert [row["title"] for row in shared.rows()] == ["before", "after"]
