from __future__ import annotations

import pytest

from tests.identity.conftest import DeviceTable
from toastkit.config import Config
from toastkit.errors import ConfigError, Invalid, UnknownDevice
from toastkit.identity import Devices
from toastkit.identity.devices import check_device_id
from toastkit.ids import default_device_id
from toastkit.principals import MAX_USER_ID

HEX = "ab" * 32


def test_A12_a_device_is_kept_under_its_user_with_the_default_bundle(devices, clock):
    device = devices.register("ada", "phone", None, None)
    assert devices.of("ada") == [device]
    assert device.bundle_id == "com.bairisland.manticscore"
    assert (device.push_token, device.environment) == (None, "production")
    assert device.registered_at == clock.now()


@pytest.mark.parametrize(
    "apns",
    [
        {"token": HEX.upper()},
        {"device_token": HEX},
        {"token": HEX, "device_token": None},
        {"token": None, "device_token": HEX},
        {"token": HEX, "device_token": HEX},
    ],
)
def test_A12_the_push_token_goes_by_two_names(devices, apns):
    assert devices.register("ada", "phone", None, apns).push_token == HEX


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, "production"),
        ("production", "production"),
        ("sandbox", "sandbox"),
        ("development", "sandbox"),
    ],
)
def test_A12_environments(devices, given, kept):
    apns = {"token": HEX, "environment": given}
    assert devices.register("ada", "phone", None, apns).environment == kept


@pytest.mark.parametrize(
    ("apns", "loc", "detail"),
    [
        ({}, "token", "apns.token required"),
        ({"token": None}, "token", "apns.token required"),
        ({"token": ""}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": "ab" * 31}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": "ab" * 101}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": "zz" * 32}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": HEX + "\n"}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": "\uff10" * 64}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": 1}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": [HEX]}, "token", "apns.token must be 64-200 hex digits"),
        ({"token": HEX, "device_token": "cd" * 32}, "token", "apns.token and apns.device_token"),
        ({"token": HEX, "environment": "Production"}, "environment", "apns.environment must be"),
        ({"token": HEX, "environment": ""}, "environment", "apns.environment must be"),
        ({"token": HEX, "environment": ["sandbox"]}, "environment", "apns.environment must be"),
    ],
)
def test_a_wrong_apns_object_is_refused(devices, apns, loc, detail):
    with pytest.raises(Invalid) as caught:
        devices.register("ada", "phone", None, apns)
    assert caught.value.loc == ("apns", loc)
    assert caught.value.detail.startswith(detail)
    assert devices.of("ada") == []


@pytest.mark.parametrize(
    "bundle_id",
    [
        *("", "a b", "com/x", "ä.b", "a" * 156, "a\n", "a" * 10_000, 1, ["a"]),
        *(".", "..", ".a", "a.", "a..b", "../a", "a\r\nb: c", "a\x00", "com.a_b", "a%2eb"),
    ],
)
def test_A4_a_wrong_bundle_id_is_refused(devices, bundle_id):
    with pytest.raises(Invalid) as caught:
        devices.register("ada", "phone", bundle_id, None)
    assert caught.value.loc == ("bundle_id",)


@pytest.mark.parametrize(
    "value",
    [
        *("a", "x" * 200, "6F9619FF-8B86-D011", "Ädas Handy", "clerk:ada"),
        *("a.b", "...", "100%", "a%20b", "ada@home", "a:b", "~ada"),
    ],
)
def test_a_device_id_is_1_to_200_printable_characters(value):
    assert check_device_id(value, "ada") == value


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_device_id_is_required(value):
    with pytest.raises(Invalid, match=r"^device_id required$") as caught:
        check_device_id(value, "ada")
    assert caught.value.type == "missing"


@pytest.mark.parametrize(
    "value",
    ["x" * 201, " ", "   ", "a\x00", "a\n", "a\u200b", "\ud800", "a\u202eb", "\x7f", "\ufeffa"],
)
def test_other_text_is_no_device_id(value):
    with pytest.raises(Invalid, match=r"^device_id must be 1-200 printable chars$"):
        check_device_id(value, "ada")


@pytest.mark.parametrize(
    "value",
    [
        *(".", "..", "/", "\\", "a/b", "a\\b", "/a", "a/", "../../etc/passwd", "..\\a", "./a"),
        *("%2e%2e", "%2E", "a%2fb", "a%5Cb", "..%2f..%2fa", "a%00", "a%0d%0aX-A: b", "%E2%80%AEb"),
    ],
)
def test_a_path_is_no_device_id(value):
    with pytest.raises(Invalid, match=r"^device_id must not be a path "):
        check_device_id(value, "ada")


@pytest.mark.parametrize("value", [1, True, 1.5, ["a"], {"a": 1}])
def test_another_type_is_no_device_id(value):
    with pytest.raises(Invalid, match=r"^device_id must be a string$"):
        check_device_id(value, "ada")


@pytest.mark.parametrize("value", ["clerk:bob", "clerk:", "clerk:ada2", "anon:0123456789abcdef"])
def test_A12_the_default_id_of_another_user_is_refused(value):
    with pytest.raises(Invalid, match=r"^device_id belongs to another user$"):
        check_device_id(value, "ada")


def test_A3_the_default_of_the_longest_user_id_is_a_device_id():
    user_id = "u" * MAX_USER_ID
    assert check_device_id(default_device_id(user_id), user_id) == f"clerk:{user_id}"


def test_A3_the_default_id_of_a_user_is_theirs_whatever_their_name_looks_like():
    assert check_device_id("clerk:../a", "../a") == "clerk:../a"


def test_a_device_is_removed_once_and_by_its_owner_alone(devices):
    devices.register("ada", "phone", None, None)
    kept = devices.register("ada", "pad", None, None)
    with pytest.raises(UnknownDevice):
        devices.remove("bob", "phone")
    devices.remove("ada", "phone")
    assert devices.of("ada") == [kept]
    with pytest.raises(UnknownDevice):
        devices.remove("ada", "phone")


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "\n"])
def test_a_database_is_not_asked_about_what_it_could_not_hold(value, clock):
    class Table(DeviceTable):
        def remove(self, user_id, device_id):
            raise AssertionError

    with pytest.raises(UnknownDevice):
        Devices(Table(), Config(), clock).remove("ada", value)


@pytest.mark.parametrize(
    ("apns", "fallback", "kinds", "pushed_to"),
    [
        ({"token": HEX}, ("apns",), ("apns",), True),
        ({"token": HEX}, ("email", "apns@5m"), ("apns",), True),
        (None, ("apns",), ("apns",), False),
        ({"token": HEX}, ("apns",), (), False),
        ({"token": HEX}, ("apns",), ("email",), False),
        ({"token": HEX}, ("email",), ("apns", "email"), False),
        ({"token": HEX}, (), ("apns",), False),
    ],
)
def test_A13_a_push_is_promised_only_where_one_could_be_sent(
    clock, apns, fallback, kinds, pushed_to
):
    devices = Devices(DeviceTable(), Config(fallback=fallback), clock, kinds)
    assert devices.pushes(devices.register("ada", "phone", None, apns)) is pushed_to


@pytest.mark.parametrize("bundle_id", ["", "a\r\nb: c", "../a"])
def test_A4_a_default_that_is_no_bundle_id_is_told_at_once(clock, bundle_id):
    with pytest.raises(ConfigError, match=r"^default_bundle_id: "):
        Devices(DeviceTable(), Config(default_bundle_id=bundle_id), clock)


def test_a_user_has_as_many_devices_as_the_setting_says(clock):
    table = DeviceTable()
    Devices(table, Config(devices_per_user=7), clock).register("ada", "phone", None, None)
    assert table.most == 7


def test_a_user_id_may_be_a_number_and_must_be_one_of_a_user(devices):
    kept = devices.register(42, "phone", None, None)
    assert (kept.user_id, devices.of("42")) == ("42", [kept])
    devices.remove(42, "phone")
    for attempt in (
        lambda: devices.register("a:b", "phone", None, None),
        lambda: devices.of(None),
        lambda: devices.remove("a b", "phone"),
    ):
        with pytest.raises(Invalid) as caught:
            attempt()
        assert caught.value.loc == ("user_id",)
