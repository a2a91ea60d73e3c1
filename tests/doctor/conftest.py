"""Somebody to examine, and the words for what is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doctor.known import AT
from toastkit import Config
from toastkit.config import ENVIRONMENT
from toastkit.doctor import Facts, Patient
from toastkit.doctor.patient import ClockFacts
from toastkit.testing import ManualClock


@pytest.fixture
def clock():
    return ManualClock(AT)


@pytest.fixture
def patient(clock, tmp_path):
    url = f"sqlite:///{tmp_path}/toastkit.db"
    return Patient(config=Config(database_url=url), sources={}, said={}, environ={}, clock=clock)


@pytest.fixture
def facts(patient):
    """Facts with a good clock, and others by name; ``environ`` and settings of the patient's too."""

    def facts(environ=None, **given):
        settings = {name: given.pop(name) for name in list(given) if hasattr(Config, name)}
        config = replace(patient.config, **settings)
        environ = environ or {}
        here = replace(patient, config=config, environ=environ, said={ENVIRONMENT: environ})
        return Facts(patient=here, **{"clock": ClockFacts(AT, AT, 0), **given})

    return facts


@pytest.fixture
def levels():
    """Return what a check finds wrong, as (level, name) pairs; each has a remedy."""

    def levels(check, facts):
        wrong = [each for each in check(facts) if each.level != "ok"]
        assert all(each.remedy for each in wrong), wrong
        assert all("\n" not in each.text + each.remedy for each in wrong), wrong
        return [(each.level, each.name) for each in wrong]

    return levels
