"""The log for programs is one JSON object a line, whatever is in a message."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toastkit.logs import MOST_BYTES, JsonFormatter

pytestmark = pytest.mark.plain

HUSH = "hush-hush_hush"


def written(message, *arguments, error=None, **extra):
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("shop", logging.WARNING, "x", 1, message, arguments, info)
    vars(record).update(extra)
    line = JsonFormatter().format(record)
    assert line.isprintable()
    assert line.isascii()
    return json.loads(line)


def raised(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_a_record_is_an_object(monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 7)
    record = logging.LogRecord("shop", logging.WARNING, "x", 1, "%s is full", ("disk",), None)
    record.created = 1_767_000_000.25
    assert json.loads(JsonFormatter().format(record)) == {
        "time": "2025-12-29T09:20:00.250+00:00",
        "level": "warning",
        "logger": "shop",
        "process": 7,
        "message": "disk is full",
    }


def test_an_exception_is_told_with_its_traceback():
    found = written("it failed", error=raised("no such shop"))
    assert found["error"] == "ValueError"
    assert found["traceback"].splitlines()[-1] == "ValueError: no such shop"


def test_what_extra_names_is_there_and_takes_no_fields_place():
    found = written("sent", order=7, why=None, place=("a", 1), level="none", time="never")
    assert (found["order"], found["why"], found["place"]) == (7, None, "('a', 1)")
    assert (found["level"], found["time"][:1]) == ("warning", "2")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -(10**30), b"a\n", {"a": {1}}])
def test_what_json_has_no_word_for_is_text(value):
    assert isinstance(written("sent", order=value)["order"], str)


@given(st.text())
def test_any_text_is_one_line_and_the_same_again(text):
    assert written("%s", text)["message"] == text or len(json.dumps(text)) > MOST_BYTES


@pytest.mark.parametrize("text", ["\x7f", "\x1b[2J", "a\r\nb", "\x85\u2028\u202e", "\ud800"])
def test_no_character_steers_whoever_reads_it(text):
    assert written("%s", text)["message"] == text


@pytest.mark.parametrize("text", ["a" * 10**6, "\n" * 10**5, "ä\x00 " * 9999, "eyJ-" * 10**5])
def test_no_field_is_longer_than_2_kb(text):
    found = written(text, error=raised(text), order=text)
    for name in ("message", "traceback", "order"):
        assert len(json.dumps(found[name])) <= MOST_BYTES + len("\\u2026")


def test_an_exception_that_is_none_is_not_told():
    record = logging.LogRecord("shop", logging.ERROR, "x", 1, "no", (), (None, None, None))
    assert "error" not in json.loads(JsonFormatter().format(record))


def test_of_a_traceback_the_end_is_kept():
    found = written("it failed", error=raised("a word " * 9999 + "the end"))
    assert found["traceback"].startswith("…")
    assert found["traceback"].endswith("the end")


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {HUSH}",
        f"redis://:{HUSH}@redis.internal:6379/0",
        f"postgresql://shop:{HUSH}@db/shop",
        f"GET /v1/realtime?state=background&token={HUSH} HTTP/1.1",
        f"https://keys.example/?api_key={HUSH}",
        f"session ms_sess_{HUSH} has ended",
        f"a JWT: eyJhbGciOiJSUzI1NiJ9.eyJ{HUSH}.{HUSH}, and more",
    ],
)
def test_no_secret_is_shown(text):
    found = written(f"{text} for ada", error=raised(text), what=text)
    assert HUSH not in json.dumps(found)
    assert found["message"].endswith(" for ada")


def test_half_a_secret_is_none_of_its_words():
    text = "x" * (4 * MOST_BYTES - 10) + f" Bearer {HUSH}"
    assert "hush" not in json.dumps(written(text))
    assert "hush" not in json.dumps(written("x", error=raised(f"Bearer {HUSH}{'y ' * 4070}")))


@pytest.mark.parametrize(
    "text", ["Listening at: http://127.0.0.1:8000 (7)", "GET /v1/toasts?limit=5 HTTP/1.1", "a: b@c"]
)
def test_what_is_none_stays(text):
    assert written(text)["message"] == text
