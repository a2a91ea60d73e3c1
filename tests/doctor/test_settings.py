"""Every setting is shown with where it was said; a secret never is."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from toastkit import Config
from toastkit.config import ENVIRONMENT, sources_of_env
from toastkit.doctor.settings import check, shown

pytestmark = pytest.mark.plain

HUSH = "hush-hush-hush"


@pytest.fixture
def said(patient):
    def said(environ):
        return replace(
            patient,
            config=Config.from_env(environ),
            sources=sources_of_env(environ),
            environ=environ,
            said={ENVIRONMENT: environ},
        )

    return said


def test_every_setting_is_shown_once(patient):
    assert [each.name for each in shown(patient)] == [each.name for each in fields(Config)]


def test_what_was_said_is_shown_with_its_place(said):
    environ = {"TOASTKIT_CONFIRM_MS": "5", "TOASTKIT_FALLBACK": "apns,email@5m"}
    found = {each.name: each for each in shown(said(environ))}
    assert found["confirm_ms"].value == "5"
    assert found["confirm_ms"].source == "TOASTKIT_CONFIRM_MS in the environment"
    assert found["fallback"].value == "apns,email@5m"
    assert (found["carry"].value, found["carry"].source, found["carry"].changed) == (
        *("1", "default"),
        False,
    )


def test_no_secret_is_shown(said):
    environ = {
        "DATABASE_URL": f"postgresql://shop:{HUSH}@db/shop?password={HUSH}",
        "REDIS_URL": f"rediss://:{HUSH}@redis.internal:6380/1?password={HUSH}",
        "TOASTKIT_PUBLISH_SECRET": HUSH,
        "TOASTKIT_APNS_KEY_FILE": f"-----BEGIN PRIVATE KEY-----\n{HUSH}",
    }
    found = shown(said(environ))
    assert HUSH not in repr(found)
    values = {each.name: each.value for each in found if each.changed}
    assert values == {
        "database_url": "postgresql+psycopg://shop@db/shop",
        "redis_url": "rediss://redis.internal:6380/1",
        "publish_secret": "set",
        "apns_key_file": "set",
    }


def test_a_key_that_is_no_setting_is_told_with_the_nearest(patient, facts, levels):
    given = facts({"TOASTKIT_CONFRIM_MS": HUSH})
    assert levels(check, given) == [("warn", "settings")]
    finding = next(iter(check(given)))
    assert finding.remedy == "did you mean TOASTKIT_CONFIRM_MS?"
    assert HUSH not in repr(finding)


def test_a_key_that_is_near_to_none_is_not_guessed_at(facts):
    finding = next(iter(check(facts({"TOASTKIT_TTL": "3"}))))
    assert finding.remedy == "take it out, or see what there is: toastkit doctor --settings"


def test_what_keeps_a_kit_from_being_made_fails(facts):
    given = facts()
    broken = replace(given, patient=replace(given.patient, trouble="publish_rate: 'x' is no rate"))
    assert [(each.level, each.text) for each in check(broken)] == [
        ("fail", "publish_rate: 'x' is no rate")
    ]
