"""Nothing holds up or spoils what else is found."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.doctor.known import anywhere
from toastkit import Config, Kit
from toastkit.doctor import current_patient, examine, examining, ok

pytestmark = pytest.mark.plain


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    anywhere(monkeypatch, tmp_path)


def names(report, level):
    return [each.name for each in report.findings if each.level == level]


def test_a_healthy_kit_is_well(patient, sqlite_template, tmp_path):
    (tmp_path / "toastkit.db").write_bytes(sqlite_template.read_bytes())
    with Kit(replace(patient.config, connections=100)) as kit:
        report = examine(replace(patient, kit=kit, config=kit.config))
    assert (names(report, "fail"), names(report, "warn")) == ([], [])
    assert {"settings", "database", "clock", "files"} <= set(names(report, "ok"))


def test_a_gather_that_breaks_is_told_and_the_others_go_on(patient, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("no\nzero")

    monkeypatch.setitem(examining.HERE, "machine", broken)
    monkeypatch.setitem(examining.APART, "key", broken)
    report = examine(patient)
    texts = [each.text for each in report.findings if each.level == "fail"]
    assert texts == ["this could not be looked at: ZeroDivisionError: no zero"] * 2
    assert "clock" in names(report, "ok")


def test_a_check_that_breaks_is_told_and_the_others_go_on(patient):
    def half(_):
        yield ok("half", "this was looked at")
        raise KeyError("x")

    more = (("half", half), ("whole", lambda _: [ok("whole", "it is said")]))
    report = examine(replace(patient, more=more))
    assert ("half" in names(report, "ok"), "half" in names(report, "fail")) == (True, True)
    assert "whole" in names(report, "ok")


def test_what_hangs_is_left(patient, monkeypatch):
    end = threading.Event()
    monkeypatch.setattr(examining, "SECONDS", 0.05)
    monkeypatch.setitem(examining.APART, "database", lambda _: end.wait())
    report = examine(patient)
    end.set()
    assert "database" in names(report, "fail")
    assert "clock" in names(report, "ok")


def test_without_any_kit_that_is_what_is_wrong(monkeypatch):
    monkeypatch.setenv("TOASTKIT_CONFIRM_MS", "soon")
    monkeypatch.setenv("TOASTKIT_DUE_MS", "7")
    patient = current_patient()
    assert "no kit is open" in patient.trouble
    assert patient.config == Config(due_ms=7)
    assert patient.sources["due_ms"] == "TOASTKIT_DUE_MS in the environment"
    assert "settings" in names(examine(patient), "fail")


def test_the_only_kit_is_examined(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    with Kit(Config(database_url=url)) as kit:
        patient = current_patient()
        assert (patient.kit, patient.trouble) == (kit, "")
        assert patient.sources["database_url"] == "Config(...)"
