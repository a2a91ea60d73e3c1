"""The server that tests run: what it does to those who use it is what a real one would."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from redis import RedisError

from tests.redis import RedisServer

pytestmark = pytest.mark.plain


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_it_answers_where_it_says(redis_server: RedisServer) -> None:
    assert redis_server.ask("ECHO", "hello") == b"hello"
    assert redis_server.url == f"redis://127.0.0.1:{redis_server.port}/0"


def test_killed_it_refuses_and_comes_back_empty_at_the_same_place(own_redis: RedisServer) -> None:
    before = own_redis.ask("INFO", "server")["run_id"]
    own_redis.ask("SET", "key", "value")
    own_redis.kill()
    with pytest.raises(RedisError):
        own_redis.ask("PING")
    own_redis.start()
    assert own_redis.ask("GET", "key") is None
    assert own_redis.ask("INFO", "server")["run_id"] != before


def test_paused_it_takes_connections_and_says_nothing(own_redis: RedisServer) -> None:
    own_redis.pause()
    with socket.create_connection(("127.0.0.1", own_redis.port), 5) as client:
        client.sendall(b"PING\r\n")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(16)
        own_redis.resume()
        client.settimeout(30)
        assert client.recv(16) == b"+PONG\r\n"


def test_its_clients_are_told_apart(redis_server: RedisServer) -> None:
    with socket.create_connection(("127.0.0.1", redis_server.port), 5) as client:
        client.sendall(b"CLIENT ID\r\n")
        mine = client.recv(64).strip().decode()[1:]
        assert mine in redis_server.clients("normal")
        client.sendall(b"SUBSCRIBE channel\r\n")
        client.recv(64)
        assert mine in redis_server.clients("pubsub")


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "from tests.redis import RedisServer; s = RedisServer(); print(s.pid, s._folder); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid, folder = starter.stdout.readline().split()
        os.kill(int(pid), 0)
        starter.send_signal(signal.SIGKILL)
        until = time.monotonic() + 30
        while os.path.exists(folder) and time.monotonic() < until:
            time.sleep(0.02)
        starter.kill()
    assert not os.path.exists(folder)
    assert int(pid) not in {each.pid for each in psutil.process_iter() if alive(each)}
