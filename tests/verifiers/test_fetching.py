"""Fetch from a server that may be anything."""

import re
import time
from pathlib import Path

import pytest
import trustme

from tests.verifiers.endpoint import Answer, Endpoint, document, endpoint, page, raw
from toastkit.testing import ManualClock
from toastkit.verifiers.fetching import NotFetched, fetch_json, within

MOST = 1000
HEAD = b"HTTP/1.0 200 OK\r\n"


def fetch(url: str, seconds: float = 5) -> object:
    return fetch_json(url, within(seconds), MOST)


def why(url: str, seconds: float = 5) -> str:
    with pytest.raises(NotFetched) as caught:
        fetch(url, seconds)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_document_is_fetched(provider: Endpoint) -> None:
    provider.answer = document({"keys": [{"kid": "a"}]})
    assert fetch(provider.url) == {"keys": [{"kid": "a"}]}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (page(b"<html>"), "not JSON"),
        (page(b""), "not JSON"),
        (page(b"\xff"), "not JSON"),
        (page(b"\x1f\x8b\x08\x00", **{"Content-Encoding": "gzip"}), "not JSON"),
        (page(b"[" * 900), "not JSON"),
        (page(b"{}", 404), "HTTP status 404"),
        (page(b"{}", 500), "HTTP status 500"),
        (page(b"{}", 304), "HTTP status 304"),
        (page(b"[" + b" " * MOST + b"]"), "larger than 1000 bytes"),
        (page(b'{"a":', **{"Content-Length": "100"}), "not JSON"),
        (raw(b"\x16\x03\x01\x00\x00"), "."),
        (raw(b""), "."),
        (raw(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n{}"), "line"),
        (raw(HEAD + b"X: y\r\n" * 200 + b"\r\n{}"), "headers"),
        (raw(b"HTTP/1.0 two hundred\r\n\r\n{}"), "."),
    ],
)
def test_anything_else_is_one_line(provider: Endpoint, answer: Answer, says: str) -> None:
    provider.answer = answer
    assert re.search(says, why(provider.url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(provider: Endpoint, status: int) -> None:
    with endpoint() as elsewhere:
        provider.answer = page(b"", status, Location=elsewhere.url)
        assert why(provider.url) == f"HTTP status {status}; redirects are not followed"
        assert not elsewhere.asked


def test_a_hundred_megabytes_are_not_read(provider: Endpoint) -> None:
    sent = []

    def flood(handler: object) -> None:
        handler.wfile.write(HEAD + b"\r\n")
        for _ in range(1600):
            handler.wfile.write(b" " * 65_536)
            sent.append(1)

    provider.answer = flood
    assert "larger than 1000 bytes" in why(provider.url)
    assert len(sent) < 800  # what the kernel takes on loopback, and no more


DRIP = (HEAD + b"\r\n", *[b" "] * 500)
DRIPS = {
    "its body": DRIP,
    "its headers": (HEAD, *[b"X: y\r\n"] * 90),
    "one header": (HEAD + b"X: ", *[b"y"] * 500),
    "the first line": tuple(bytes([each]) for each in HEAD),
    "nothing": (b"",) * 500,
}


@pytest.mark.parametrize("what", DRIPS)
def test_a_server_that_drips_is_late(provider: Endpoint, what: str) -> None:
    provider.answer = raw(*DRIPS[what], pause=provider.closing, seconds=0.1)
    begun = time.monotonic()
    assert why(provider.url, 0.4) == "not answered whole within 0.4 seconds"
    assert time.monotonic() - begun < 10


def test_nobody_there_is_one_line() -> None:
    assert "refused" in why("http://127.0.0.1:1/jwks.json")


def test_the_time_is_that_of_the_clock(provider: Endpoint, clock: ManualClock) -> None:
    deadline = within(5, clock)
    clock.advance(4.9)
    assert fetch_json(provider.url, deadline, MOST) == {"keys": []}
    clock.advance(0.1)
    with pytest.raises(NotFetched, match="within 5 seconds"):
        fetch_json(provider.url, deadline, MOST)
    assert len(provider.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,{}"])
def test_nothing_but_http_is_spoken(url: str) -> None:
    assert "unknown url type" in why(url)


def test_a_certificate_nobody_vouches_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca = trustme.CA()
    with endpoint(ca) as secure:
        secure.answer = document({"keys": []})
        assert "CERTIFICATE_VERIFY_FAILED" in why(secure.url)
        ca.cert_pem.write_to_path(f"{tmp_path}/ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", f"{tmp_path}/ca.pem")
        assert fetch(secure.url) == {"keys": []}
        assert "match" in why(secure.url.replace("localhost", "127.0.0.1"))
