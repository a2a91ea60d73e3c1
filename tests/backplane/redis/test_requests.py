from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.proxy import Proxy
from tests.redis import RedisServer
from toastkit.backplane.redis.requests import MAX_CONNECTIONS, Requests
from toastkit.backplane.redis.scripts import Script
from toastkit.backplane.redis.timely import TimelyConnection
from toastkit.clock import SystemClock
from toastkit.errors import BackplaneUnavailable, ConfigError

PATIENT_MS = 30_000

ECHO = Script("return ARGV[1]")


@pytest.fixture
def requests(redis_server: RedisServer) -> Iterator[Requests]:
    requests = Requests(redis_server.url, SystemClock(), PATIENT_MS)
    yield requests
    requests.close()


def test_commands_are_answered_in_order(requests: Requests, redis_prefix: str) -> None:
    key = f"{redis_prefix}:a"
    assert requests.ask(("SET", key, "b"), ("GET", key), ("DEL", key)) == [b"OK", b"b", 1]


def test_a_refused_command_is_told_and_the_next_answer_is_the_next_question_s(
    requests: Requests,
) -> None:
    with pytest.raises(BackplaneUnavailable, match="Redis refused: wrong number of arguments"):
        requests.ask(("ECHO", "a"), ("GET",), ("ECHO", "b"))
    assert requests.ask(("ECHO", "c")) == [b"c"]
    assert requests.well


def test_a_server_that_has_forgotten_a_script_is_shown_it_again(requests: Requests) -> None:
    for _ in range(2):
        requests.ask(("SCRIPT", "FLUSH"))
        assert requests.run(ECHO, [], "a", then=("ECHO", "b")) == b"a"


def test_a_question_that_was_broken_off_leaves_no_answer_behind(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests.ask(("ECHO", "a"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TimelyConnection, "read_response", interrupt)
        with pytest.raises(KeyboardInterrupt):
            requests.ask(("ECHO", "b"))
    assert not requests._idle, "its answer may come after the next question"
    assert requests.ask(("ECHO", "c")) == [b"c"]


def test_many_may_ask_at_once_by_few_connections(requests: Requests) -> None:
    told: list[bytes] = []

    def ask(name: str) -> None:
        for _ in range(10):
            told.extend(requests.ask(("ECHO", name)))

    names = [f"n{number}" for number in range(3 * MAX_CONNECTIONS)]
    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(name.encode() for name in names for _ in range(10))
    assert len(requests._idle) <= MAX_CONNECTIONS


def test_after_a_restart_nobody_meets_a_dead_connection(own_redis: RedisServer) -> None:
    requests = Requests(own_redis.url, SystemClock(), PATIENT_MS)
    both = threading.Barrier(2)
    threads = [
        threading.Thread(target=lambda: both.wait() and requests.ask(("ECHO", "a")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own_redis.restart()
    assert requests.ask(("ECHO", "b")) == [b"b"]
    requests.close()


@pytest.mark.plain  # for the proxy's sake, which is a thread of its own
def test_one_deadline_is_kept_for_all_that_an_answer_takes(redis_server: RedisServer) -> None:
    # Each of the replies of a handshake comes in less than the limit; all of them together do not.
    with Proxy(("127.0.0.1", redis_server.port)) as proxy:
        requests = Requests(f"redis://{proxy.host}/1", SystemClock(), 250)
        proxy.delay(0.06)
        with pytest.raises(BackplaneUnavailable, match="cannot be reached"):
            requests.ask(("PING",))
        assert not requests.well
        assert proxy.passed
        requests.close()


def test_what_one_answer_took_is_not_taken_from_the_next(requests: Requests) -> None:
    requests.ask(("PING",))
    requests._idle[0]._sock.settimeout(0.000_001)  # all that an answer that came late has left
    text = b"a" * 20_000_000
    assert requests.ask(("ECHO", text)) == [text]


def test_what_a_url_holds_is_in_no_message() -> None:
    for url in ("redis://:secret@host:secret/0", "https://:secret@host"):
        with pytest.raises(ConfigError, match="redis_url must be like") as caught:
            Requests(url, SystemClock(), PATIENT_MS)
        assert "secret" not in str(caught.value)


def test_who_is_not_let_in_is_told_why_without_the_password(own_redis: RedisServer) -> None:
    own_redis.ask("CONFIG", "SET", "requirepass", "right")
    requests = Requests(own_redis.url.replace("//", "//:secret@"), SystemClock(), PATIENT_MS)
    with pytest.raises(BackplaneUnavailable, match="Redis refused") as caught:
        requests.ask(("PING",))
    assert "secret" not in str(caught.value)


def test_what_a_url_says_for_others_harms_nobody(redis_server: RedisServer) -> None:
    options = "max_connections=10&decode_responses=True&retry_on_timeout=yes&socket_timeout=60"
    requests = Requests(f"{redis_server.url}?{options}", SystemClock(), PATIENT_MS)
    assert requests.ask(("PING",)) == [b"PONG"]
    requests.close()


def test_an_option_that_nobody_knows_is_refused_at_once(redis_server: RedisServer) -> None:
    with pytest.raises(ConfigError, match="redis_url must be like"):
        Requests(f"{redis_server.url}?ssl_cert_reqs=none", SystemClock(), PATIENT_MS)


def test_the_database_is_the_urls(redis_server: RedisServer) -> None:
    requests = Requests(f"redis://127.0.0.1:{redis_server.port}/3", SystemClock(), PATIENT_MS)
    assert requests.database == 3
    assert b"db=3" in requests.ask(("CLIENT", "INFO"))[0]
    requests.close()


def test_a_forked_child_speaks_on_no_connection_of_its_parent(requests: Requests) -> None:
    requests.ask(("PING",))
    (parents,) = requests._idle
    requests._pid -= 1
    requests.ask(("PING",))
    assert parents not in requests._idle
