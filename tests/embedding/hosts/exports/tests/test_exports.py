import threading
import time


def test_an_export_is_made(client):
    client.post("/exports/all")
    assert "all.csv" in client.get("/").text


def test_a_small_one_is_made_in_a_thread(client):
    before = set(threading.enumerate())
    client.post("/small-exports/mine")
    deadline = time.monotonic() + 10
    while "mine.csv" not in client.get("/").text:
        assert time.monotonic() < deadline
    for thread in set(threading.enumerate()) - before:
        if "make_export" in thread.name:
            thread.join(10)
