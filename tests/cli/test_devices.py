"""``toastkit devices``: what an operator sees of a user's devices, and removes."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tests.cli.conftest import one_line, runner
from toastkit.senders import RecordingSender

AT = "2026-01-01T00:00:00+00:00"
APNS = {"token": "ab" * 32, "environment": "sandbox"}


def test_who_has_none_has_none(run):
    assert run("devices", "ada") == (0, "ada has no device\n", "")
    assert json.loads(run("devices", "ada", "--json")[1]) == {"items": []}


def test_devices_are_shown_with_what_they_lack(kit, run):
    kit.devices.register("ada", "phone", None, APNS)
    kit.devices.register("ada", "pad", "com.example.pad", None)
    kit.devices.register("bob", "his", None, None)
    code, said, complaint = run("devices", "ada")
    assert (code, complaint) == (0, "")
    assert sorted(said.splitlines()) == [
        f"pad    com.example.pad             production  registered {AT}  no push token",
        f"phone  com.bairisland.manticscore  sandbox     registered {AT}  this app sends no pushes",
    ]


def test_programs_get_json_and_nobody_a_push_token(kit, run):
    kit.devices.register("ada", "phone", None, APNS)
    code, said, _ = run("devices", "ada", "--json")
    assert code == 0
    assert json.loads(said)["items"] == [
        {
            "device_id": "phone",
            "bundle_id": "com.bairisland.manticscore",
            "environment": "sandbox",
            "apns_fallback_enabled": False,
            "registered_at": AT,
            "taken_at": None,
            "refused": 0,
        }
    ]
    assert APNS["token"] not in said + run("devices", "ada")[1]


@pytest.mark.parametrize(("refused", "often"), [(1, "once"), (2, "2 times")])
def test_it_says_what_became_of_the_last_pushes(make_kit, monkeypatch, refused, often):
    kit = make_kit(senders=[RecordingSender("apns")])
    run = runner(kit)
    device = kit.devices.register("ada", "phone", None, APNS)
    assert run("devices", "ada")[1].endswith("  can be pushed to\n")
    told = replace(device, taken_at=device.registered_at, refused=refused)
    monkeypatch.setattr(kit.devices, "of", lambda _: [told])
    said = run("devices", "ada")[1]
    assert said.endswith(f"  can be pushed to, taken at {AT}, refused {often} since\n")


def test_a_device_is_removed(kit, run):
    for name in ("phone", "pad"):
        kit.devices.register("ada", name, None, APNS | {"token": (name * 32).encode().hex()[:64]})
    assert run("devices", "ada", "--remove", "phone") == (0, "removed phone of ada\n", "")
    code, said, _ = run("devices", "ada", "--remove", "pad", "--json")
    assert (code, json.loads(said)) == (0, {"removed": True, "device_id": "pad"})
    assert kit.devices.of("ada") == []


@pytest.mark.parametrize("id", ["phone", "", "../phone", "a\x00", "\udcff", "x" * 10_000])
def test_one_that_is_not_there_is_one_line_and_1(kit, run, id):
    kit.devices.register("bob", "phone", None, None)
    code, said, complaint = run("devices", "ada", "--remove", id)
    assert (code, said) == (1, "")
    assert one_line(complaint)
    assert len(kit.devices.of("bob")) == 1
