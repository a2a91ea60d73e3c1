from __future__ import annotations

import pytest

from toastkit import ConfigError

BOOTSTRAP = "/v1/sessions/toast-bootstrap"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost:81",
        "http://localhost/",
        "http://user@localhost",
        "localhost",
        "file://",
        "",
        "ftp://localhost",
        "http://evil.example#localhost",
        "http://[",
        "http://[::1",
        "http://[evil]:1",
        "http://]",
    ],
)
def test_the_login_is_refused_to_a_page_of_another_origin(client, ada, origin):
    answer = client.post(BOOTSTRAP, headers={**ada, "Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")


@pytest.mark.parametrize("origin", ["http://localhost", "http://LOCALHOST", "https://localhost"])
def test_a_page_of_this_origin_may_use_the_login(client, ada, origin):
    answer = client.post(BOOTSTRAP, headers={**ada, "Origin": origin})
    assert answer.status_code == 200


def test_http_is_another_origin_where_we_are_https(client, ada):
    headers = {**ada, "Origin": "http://localhost"}
    answer = client.post(BOOTSTRAP, headers=headers, base_url="https://localhost")
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://public.example.com"])
def test_an_origin_that_is_named_may_use_the_login(make_app, ada, origin):
    named = {
        "allowed_origins": "https://App.example.com/",
        "public_url": "https://public.example.com",
    }
    client = make_app(**named).test_client()
    assert client.post(BOOTSTRAP, headers={**ada, "Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.com", "app.example.com", "null", "https://a/b", "ws://a"]
)
def test_what_is_no_origin_cannot_be_allowed(make_app, origin):
    with pytest.raises(ConfigError, match="allowed_origins"):
        make_app(allowed_origins=origin)


@pytest.mark.parametrize("url", ["app.example.com", "/", "ftp:app", "https://[::1"])
def test_a_public_url_needs_scheme_and_host(make_app, url):
    with pytest.raises(ConfigError, match="public_url"):
        make_app(public_url=url)
