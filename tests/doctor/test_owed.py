"""What is owed is carried by somebody, and pushes can be signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doctor.known import AT, database
from toastkit import Config, ConfigError, Kit
from toastkit.doctor.owed import LATE_MS, check, gather
from toastkit.doctor.patient import ClockFacts, KeyFacts
from toastkit.senders import RecordingSender
from toastkit.storage import Rows, Waiting, look

pytestmark = pytest.mark.plain


@pytest.fixture
def kits(tmp_path, clock):
    made = []

    def make(*kinds, **settings):
        config = Config(database_url=f"sqlite:///{tmp_path}/toastkit.db", **settings)
        made.append(Kit(config, senders=[RecordingSender(kind) for kind in kinds], clock=clock))
        return made[-1]

    yield make
    for kit in made:
        kit.close()


@pytest.fixture
def of(facts):
    """Return facts of a kit and of what waits in its database."""

    def of(kit, **given):
        here = facts(**given)
        return replace(here, patient=replace(here.patient, kit=kit, config=kit.config))

    return of


@pytest.mark.parametrize(
    ("kinds", "settings", "wrong"),
    [
        ((), {}, [("info", "apns")]),
        (("apns",), {}, []),
        ((), {"fallback": ()}, []),
        (("apns",), {"fallback": ("apns", "email@15m")}, [("fail", "deliveries")]),
        (("apns",), {"carry": False}, [("info", "deliveries")]),
    ],
)
def test_every_step_has_a_sender(kinds, settings, wrong, kits, of, levels):
    assert levels(check, of(kits(*kinds, **settings))) == wrong


@pytest.mark.parametrize(
    ("kind", "late", "settings", "wrong", "remedy"),
    [
        ("email", LATE_MS - 1, {}, 0, ""),
        ("email", LATE_MS, {}, 1, "a process that serves carries them"),
        ("email", LATE_MS, {"carry": False}, 1, "toastkit courier"),
        ("fax", LATE_MS, {}, 1, "a sender of it"),
    ],
)
def test_what_waits_for_long_is_carried_by_nobody(kind, late, settings, wrong, remedy, kits, of):
    rows = Rows(waiting=(Waiting(kind, 7, AT - late),))
    given = of(kits("email", fallback=(), **settings), database=database(rows=rows))
    found = [each for each in check(given) if each.level == "warn"]
    assert len(found) == wrong
    assert all(remedy in each.remedy and each.text.startswith("7 of") for each in found)


def test_what_waits_in_a_database_is_found(kits, clock, of, levels):
    kit = kits("email", fallback=("email",), carry=False)
    kit.deliveries.owe("email", {"text": "hello"}, seconds=3600)
    kit.publish_toast("ada", "hello")
    kit.close()
    clock.advance(120)
    found = look(kit.config.database_url, clock.now)
    (waiting,) = found.rows.waiting
    assert (waiting.kind, waiting.number) == ("email", 1)
    assert (found.rows.undecided, found.rows.newest_at) == (1, AT)
    given = of(kit, database=found)
    late = replace(given, clock=ClockFacts(AT, clock.now(), 0))
    assert levels(check, late) == [
        ("info", "deliveries"),
        ("warn", "deliveries"),
        ("warn", "toasts"),
    ]


def test_apples_key_signs(patient, papers):
    config = Config(apns_team_id="T", apns_key_id="K", apns_key_file=str(papers.key_file))
    assert gather(replace(patient, config=config)).mode == papers.key_file.stat().st_mode & 0o777
    assert gather(patient) is None


def test_a_key_that_is_none_is_an_error(patient, tmp_path):
    (tmp_path / "key.p8").write_text("no key")
    file = str(tmp_path / "key.p8")
    config = Config(apns_team_id="T", apns_key_id="K", apns_key_file=file)
    with pytest.raises(ConfigError, match="holds no key"):
        gather(replace(patient, config=config))


@pytest.mark.parametrize(("mode", "wrong"), [(0o600, []), (0o644, [("warn", "apns")])])
def test_a_key_is_for_its_owner(mode, wrong, facts, levels):
    assert levels(check, facts(key=KeyFacts(mode=mode))) == wrong
