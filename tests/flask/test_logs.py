from __future__ import annotations

import logging
from urllib.parse import unquote

import pytest

from toastkit_flask import logs

SECRET = "ticket-that-opens-a-socket"
LINE = f"GET /api/v1/realtime?token={SECRET}&state=background HTTP/1.1"


class Atoms(dict):
    """gunicorn's own mapping: a dash for what is not there."""

    def __getitem__(self, name):
        return super().get(name, "-")


def written(record):
    assert logs.HideTickets().filter(record)
    return record.getMessage()


def record(msg, *args):
    return logging.LogRecord("x", logging.INFO, "x", 1, msg, args, None)


def test_werkzeugs_line_loses_its_query():
    line = written(record('127.0.0.1 - - [now] "%s" %s %s\n', LINE, "101", "-"))
    assert line == '127.0.0.1 - - [now] "GET /api/v1/realtime?[hidden] HTTP/1.1" 101 -\n'


@pytest.mark.parametrize("path", ["/v1/realtime", "/api/v1/realtime", "/prefix/api/v1/realtime"])
def test_gunicorns_atoms_lose_theirs(path):
    query = f"token={SECRET}"
    atoms = Atoms(
        {
            "r": f"GET {path}?{query} HTTP/1.1",
            "U": path,
            "q": query,
            "f": f"http://x{path}?{query}",
            "{query_string}e": query,
            "{raw_uri}e": f"{path}?{query}",
            "B": 7,
        }
    )
    line = written(
        record("%(r)s %(q)s %(f)s %({query_string}e)s %({raw_uri}e)s %(B)s %(z)s", atoms)
    )
    assert SECRET not in line
    assert line.endswith("7 -")


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/realtime/?token={}",
        "/api/v1//realtime?token={}",
        "/API/v1/Realtime?token={}",
        "/api/v1/%72ealtime?token={}",
        "/api/v1%2Frealtime?token={}",
        "/api/v1/realtime;a?token={}",
        "/api/v1/realtime#a?token={}",
        "/api/v1/realtime%3Ftoken={}",
        "/api/v1/realtime?a='&token={}",
        '/api/v1/realtime?a="&token={}',
        "http://x/api/v1/realtime?a&token={}",
    ],
)
def test_a_ticket_that_went_to_a_misspelt_gateway_is_hidden_too(target):
    target = target.format(SECRET)
    path, _, query = target.partition("?")
    plain = unquote(path)
    atoms = Atoms({"r": f"GET {target} HTTP/1.1", "U": plain, "q": query, "f": target})
    for line in (
        written(record('"%s" %s', f"GET {target} HTTP/1.1", 101)),
        written(record("%(r)s %(U)s %(q)s %(f)s", atoms)),
        written(record(f'"GET {target} HTTP/1.1" 101')),
    ):
        assert SECRET not in line
        assert "HTTP/1.1" in line


def test_a_line_keeps_its_quotes():
    line = written(record(f'"GET / HTTP/1.1" "http://x/v1/realtime?token={SECRET}" "curl"'))
    assert line == '"GET / HTTP/1.1" "http://x/v1/realtime?[hidden]" "curl"'


def test_other_lines_are_left_alone():
    atoms = Atoms({"r": "GET /search?token=mine HTTP/1.1", "U": "/search", "q": "token=mine"})
    assert written(record("%(r)s %(q)s", atoms)) == "GET /search?token=mine HTTP/1.1 token=mine"
    assert written(record("%s and %d", "GET /?a=1", 2)) == "GET /?a=1 and 2"
    assert written(record("plain")) == "plain"
    assert written(record("GET /realtime-prices?day=1")) == "GET /realtime-prices?day=1"


def test_each_app_installs_it_and_it_is_there_once(make_app, monkeypatch):
    loggers = [logging.getLogger(name) for name in ("werkzeug", "gunicorn.access")]
    for logger in loggers:
        monkeypatch.setattr(logger, "filters", [])
    for _ in range(2):
        make_app()
        for logger in loggers:
            assert [type(each) for each in logger.filters] == [logs.HideTickets]
