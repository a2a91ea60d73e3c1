from __future__ import annotations

import io
import json

import pytest

BOOTSTRAP, PUBLISH = "/v1/sessions/toast-bootstrap", "/v1/toasts/publish"
LIMIT = 65_536


def padded(size):
    """A publish body of exactly so many bytes."""
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "x"}, "padding": ""}
    body["padding"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


class Endless(io.RawIOBase):
    """A chunked body that never ends; counts what was read of it."""

    taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.taken += len(buffer)
        buffer[:] = b" " * len(buffer)
        return len(buffer)


class Broken(io.RawIOBase):
    def __init__(self, error):
        self.error = error

    def readable(self):
        return True

    def readinto(self, _):
        raise self.error


def chunked(client, path, stream, headers):
    """Send a body without a length, as a server that has taken the chunks apart hands it over."""
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True}
    return client.post(path, headers=headers, environ_overrides=environ)


def test_a_body_of_64_KiB_is_read(client, publisher):
    assert client.post(PUBLISH, data=padded(LIMIT), headers=publisher).status_code == 202


def test_a_longer_one_is_413(client, publisher):
    answer = client.post(PUBLISH, data=padded(LIMIT + 1), headers=publisher)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_longer_one_is_413_without_a_length(client, publisher):
    assert chunked(client, PUBLISH, io.BytesIO(padded(LIMIT)), publisher).status_code == 202
    assert chunked(client, PUBLISH, io.BytesIO(padded(LIMIT + 1)), publisher).status_code == 413


def test_an_endless_body_is_left_off_at_the_limit(client, publisher):
    stream = Endless()
    assert chunked(client, PUBLISH, stream, publisher).status_code == 413
    assert stream.taken <= 2 * LIMIT


class ChunkError(Exception):
    """Like gunicorn's own errors: not an OSError."""


@pytest.mark.parametrize("error", [OSError("the peer has gone"), ChunkError("not a size: zz")])
def test_a_body_that_breaks_off_is_422(client, publisher, error):
    answer = chunked(client, PUBLISH, Broken(error), publisher)
    assert (answer.status_code, answer.json["detail"]) == (422, "the body could not be read")


def test_a_body_is_read_whatever_its_content_type(client, ada):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        answer = client.post(
            BOOTSTRAP, data=b'{"device_id":""}', content_type=content_type, headers=ada
        )
        assert answer.json["detail"] == "device_id required"


@pytest.mark.parametrize("limit", [1, 100])
def test_the_limit_is_a_setting(make_app, ada, limit):
    client = make_app(body_bytes=limit).test_client()
    assert client.post(BOOTSTRAP, data=b" " * (limit + 1), headers=ada).status_code == 413


def test_the_hosts_own_limit_counts_too(app, ada):
    app.config["MAX_CONTENT_LENGTH"] = 10
    answer = app.test_client().post(BOOTSTRAP, data=b'{"a":"0123456789"}', headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (413, "Request Entity Too Large")
