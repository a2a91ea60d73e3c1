from __future__ import annotations

import pytest

from tests.verifiers.forgeries import token
from toastkit import Config, ConfigError, RateLimited
from toastkit.testing import ManualClock
from toastkit_flask.ratelimits import RATES, RateLimits

DOCUMENTED = [
    ("POST", "/v1/sessions/toast-bootstrap", 30),
    ("POST", "/v1/devices/register-toast", 30),
    ("GET", "/v1/toasts", 60),
]


@pytest.fixture
def limits(clock):
    return RateLimits(Config(list_rate="3/minute"), clock)


@pytest.mark.parametrize(("method", "path", "most"), DOCUMENTED)
def test_A1_A11_A19_the_one_after_the_documented_number_is_429(make_app, ada, method, path, most):
    client = make_app(rate_limits=True).test_client()

    def ask(user):
        return client.open(path, method=method, headers={**ada, "X-User": user})

    statuses = [ask("ada").status_code for _ in range(most + 1)]
    assert 429 not in statuses[:most]
    assert statuses[most] == 429
    assert ask("bob").status_code != 429


def test_A14_120_publishes_a_minute_for_each_secret(make_app):
    client = make_app(rate_limits=True, publish_secret="one,two").test_client()

    def ask(secret):
        headers = {"Authorization": f"Bearer {secret}"}
        return client.post("/v1/toasts/publish", headers=headers)

    statuses = [ask("one").status_code for _ in range(121)]
    assert statuses == [422] * 120 + [429]
    assert ask("two").status_code == 422


def test_429_tells_when_to_come_back(make_app, ada, clock):
    client = make_app(rate_limits=True, list_rate="1/minute").test_client()
    client.get("/v1/toasts", headers=ada)
    clock.advance(20.5)
    answer = client.get("/v1/toasts", headers=ada)
    assert answer.json["detail"] == "Rate limit exceeded"
    names = ("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    assert [answer.headers[name] for name in names] == ["40", "1", "0", "40"]


def test_both_paths_of_an_endpoint_count_together(make_app, ada):
    client = make_app(rate_limits=True, list_rate="1/minute").test_client()
    assert client.get("/v1/toasts", headers=ada).status_code == 200
    assert client.get("/api/v1/toasts", headers=ada).status_code == 429


def test_forwarding_headers_give_no_second_address(make_app):
    client = make_app(rate_limits=True, session_rate="1/minute").test_client()

    def ask(n):
        headers = {"X-Forwarded-For": f"10.0.0.{n}", "Authorization": f"Bearer {token()}"}
        return client.post("/auth/session", headers=headers)

    assert [ask(n).status_code for n in range(2)] == [200, 429]


def test_0_switches_them_off(make_app, ada):
    client = make_app(rate_limits="0", list_rate="1/minute").test_client()
    assert {client.get("/v1/toasts", headers=ada).status_code for _ in range(3)} == {200}


def test_in_any_window_exactly_N_are_let_through(clock):
    # Hits every 7 seconds for an hour; then no window of 60 s may hold more than 3.
    limits, let_through = RateLimits(Config(list_rate="3/minute"), clock), []
    for second in range(0, 3600, 7):
        try:
            limits.hit("list", "ada")
            let_through.append(second)
        except RateLimited:
            pass
        clock.advance(7)
    windows = [[t for t in let_through if start <= t < start + 60] for start in let_through]
    assert max(map(len, windows)) == 3
    assert len(let_through) == pytest.approx(3600 / 60 * 3, abs=20)


def test_a_refused_hit_does_not_count(limits, clock):
    for _ in range(3):
        limits.hit("list", "ada")
    clock.advance(59)
    for _ in range(5):
        with pytest.raises(RateLimited) as caught:
            limits.hit("list", "ada")
        assert caught.value.retry_after == 1
    clock.advance(1)
    limits.hit("list", "ada")


def test_keys_and_names_are_counted_apart(limits):
    for _ in range(3):
        limits.hit("list", "ada")
        limits.hit("list", "bob")
        limits.hit("list", "ada", "bob")
        limits.hit("bootstrap", "ada")


def test_one_key_that_stays_keeps_no_other_from_being_forgotten(clock):
    limits = RateLimits(Config(list_rate="1000/minute"), clock)
    for number in range(100):
        limits.hit("list", "stays")
        limits.hit("list", f"u{number}")
        clock.advance(10)
    assert len(limits._windows["list"]) < 10


def test_keys_that_are_over_are_forgotten(clock):
    limits = RateLimits(Config(), clock)
    for n in range(1000):
        limits.hit("list", f"user{n}")
    clock.advance(61)
    for _ in range(500):
        limits.hit("list", "ada")
        clock.advance(1)
    assert list(limits._windows["list"]) == [("ada",)]


@pytest.mark.parametrize("name", RATES)
def test_a_rate_that_is_none_is_refused_at_the_start(name):
    for text in ("often", "0/minute"):
        with pytest.raises(ConfigError, match=f"{name}_rate: '{text}'"):
            RateLimits(Config(**{f"{name}_rate": text}), ManualClock())


def test_tokens_that_are_no_good_count_too_and_for_their_own_address_only(make_app):
    client = make_app(rate_limits=True, session_rate="2/minute").test_client()

    def ask(address, bearer):
        headers = {"Authorization": f"Bearer {bearer}"}
        place = {"REMOTE_ADDR": address}
        return client.post("/auth/session", headers=headers, environ_base=place).status_code

    assert [ask("10.0.0.1", "x.y.z") for _ in range(3)] == [401, 401, 429]
    assert ask("10.0.0.1", token()) == 429
    assert [ask("10.0.0.2", token()) for _ in range(3)] == [200, 200, 429]
