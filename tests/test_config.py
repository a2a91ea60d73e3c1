"""Every setting can be said in the environment and in a mapping, and is understood or refused."""

import dataclasses
import warnings
from typing import Any

import pytest

from toastkit.config import Config, sources, sources_of_env
from toastkit.errors import ConfigError

pytestmark = pytest.mark.plain

FIELDS = dataclasses.fields(Config)
SAMPLES: dict[str, tuple[str, Any]] = {
    "str": ("text", "text"),
    "int": ("7", 7),
    "bool": ("0", False),
    "tuple[str, ...]": ("a, b,,c ", ("a", "b", "c")),
}
CHOSEN: dict[str, tuple[str, Any]] = {
    "runtime": ("threads", "threads"),
    "gateway": ("portable", "portable"),
    "device_secret": ("1", True),
}


def variable(name: str) -> str:
    return f"TOASTKIT_{name.upper()}"


def sample(field: dataclasses.Field[Any]) -> tuple[str, Any]:
    return CHOSEN.get(field.name) or SAMPLES[str(field.type)]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_is_read_from_the_environment(field: dataclasses.Field[Any]) -> None:
    said, meant = sample(field)
    config = Config.from_env({variable(field.name): said})
    assert getattr(config, field.name) == meant
    assert meant != field.default


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_is_read_from_a_mapping(field: dataclasses.Field[Any]) -> None:
    _, meant = sample(field)
    config = Config.from_mapping({variable(field.name): meant})
    assert getattr(config, field.name) == meant


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_has_a_meaning_and_a_default(field: dataclasses.Field[Any]) -> None:
    assert field.metadata["meaning"]
    assert getattr(Config(), field.name) == field.default


def test_what_nobody_said_has_its_default() -> None:
    assert Config.from_env({}) == Config()


def test_what_is_given_is_used_where_nothing_is_said() -> None:
    said = {"TOASTKIT_DUE_MS": "5"}
    config = Config.from_mapping(said, due_ms=7, confirm_ms=9)
    assert (config.due_ms, config.confirm_ms) == (5, 9)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"DATABASE_URL": "sqlite:///a"}, "sqlite:///a"),
        ({"TOASTKIT_DATABASE_URL": "sqlite:///b"}, "sqlite:///b"),
        ({"DATABASE_URL": "sqlite:///a", "TOASTKIT_DATABASE_URL": "sqlite:///b"}, "sqlite:///b"),
        ({}, ""),
    ],
)
def test_DATABASE_URL_names_the_database_too(environ: dict[str, str], url: str) -> None:
    assert Config.from_env(environ).database_url == url


def test_a_mapping_of_the_host_is_not_asked_for_DATABASE_URL() -> None:
    assert Config.from_mapping({"DATABASE_URL": "sqlite:///host"}).database_url == ""


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOASTKIT_DUE_MS", "1234")
    assert Config.from_env().due_ms == 1234


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("TOASTKIT_CONFRIM_MS", "TOASTKIT_CONFIRM_MS"),
        ("TOASTKIT_PUBLISH_SECRETS", "TOASTKIT_PUBLISH_SECRET"),
        ("TOASTKIT_DATABASE", "TOASTKIT_DATABASE_URL"),
    ],
)
def test_an_unknown_key_is_warned_about_with_the_nearest(key: str, near: str) -> None:
    with pytest.warns(UserWarning, match=f"{key} is no setting of toastkit; did you mean {near}"):
        Config.from_mapping({key: "1"})


def test_an_unknown_key_that_is_near_to_none_is_not_guessed_at() -> None:
    with pytest.warns(UserWarning, match=r"^TOASTKIT_TTL is no setting of toastkit$"):
        Config.from_mapping({"TOASTKIT_TTL": "1"})


def test_keys_of_others_are_let_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Config.from_mapping({"SECRET_KEY": "x", 5: 6, "TOASTKIT_DEMO": "1"}) == Config()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TOASTKIT_CONFIRM_MS", "soon"),
        ("TOASTKIT_CONFIRM_MS", "1.5"),
        ("TOASTKIT_CONFIRM_MS", ""),
        ("TOASTKIT_CONFIRM_MS", None),
        ("TOASTKIT_CONFIRM_MS", float("inf")),
        ("TOASTKIT_CONFIRM_MS", float("nan")),
        ("TOASTKIT_CONFIRM_MS", []),
        ("TOASTKIT_RATE_LIMITS", "maybe"),
        ("TOASTKIT_RATE_LIMITS", 2),
        ("TOASTKIT_RATE_LIMITS", None),
        ("TOASTKIT_SURFACES", None),
        ("TOASTKIT_SURFACES", 5),
        ("TOASTKIT_PUBLISH_SECRET", b"secret"),
    ],
)
def test_a_value_that_is_not_understood_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: .* is not "):
        Config.from_mapping({key: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("runtime", "asyncio"),
        ("gateway", "none"),
        ("confirm_ms", 0),
        ("connections", -1),
        ("confirm_ms", "250"),
    ],
)
def test_a_value_that_cannot_be_names_its_setting(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must be"):
        Config(**{name: value})


@pytest.mark.parametrize(
    "value", [("a", "b"), ["a", "b"], "a, b", (each for each in "ab"), {"a": 1, "b": 2}]
)
def test_a_list_may_be_given_as_app_config_has_it(value: Any) -> None:
    assert Config(surfaces=value).surfaces == ("a", "b")


def test_a_text_that_is_given_is_one_secret_and_not_its_letters() -> None:
    config = Config.from_mapping({}, publish_secret="my-key")
    assert config.publish_secret == ("my-key",)
    assert hash(config) == hash(Config(publish_secret=("my-key",)))


@pytest.mark.parametrize("value", [5, None, b"toasts"])
def test_what_is_no_list_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^surfaces: .* is not a comma separated list"):
        Config(surfaces=value)


def test_a_secret_that_is_not_understood_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_mapping({"TOASTKIT_PUBLISH_SECRET": b"hush"})
    assert "hush" not in str(caught.value)


def test_where_each_setting_was_said() -> None:
    said = {"TOASTKIT_DUE_MS": 5, "TOASTKIT_CONFRIM_MS": 5, "DUE_MS": 7, 5: 6}
    assert sources(said, "app.config") == {"due_ms": "TOASTKIT_DUE_MS in app.config"}


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        ({"DATABASE_URL": "a"}, "DATABASE_URL in the environment"),
        (
            {"DATABASE_URL": "a", "TOASTKIT_DATABASE_URL": "b"},
            "TOASTKIT_DATABASE_URL in the environment",
        ),
    ],
)
def test_where_the_database_was_said(environ: dict[str, str], source: str) -> None:
    assert sources_of_env(environ) == {"database_url": source}


def test_where_settings_were_said_is_no_part_of_them() -> None:
    assert Config.from_env({"TOASTKIT_DUE_MS": "5"}) == Config(due_ms=5)


@pytest.mark.parametrize("text", ["1", "true", "TRUE", " yes ", "On"])
def test_words_for_yes(text: str) -> None:
    assert Config.from_env({"TOASTKIT_RATE_LIMITS": text}).rate_limits is True


@pytest.mark.parametrize("text", ["0", "false", "No", "off", ""])
def test_words_for_no(text: str) -> None:
    assert Config.from_env({"TOASTKIT_RATE_LIMITS": text}).rate_limits is False


@pytest.mark.parametrize("blank", ["", " ", ",", " , ,"])
def test_A17_a_blank_secret_is_no_secret(blank: str) -> None:
    assert Config.from_env({"TOASTKIT_PUBLISH_SECRET": blank}).publish_secret == ()


def test_a_config_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().due_ms = 5  # type: ignore[misc]


def test_credentials_are_not_shown() -> None:
    config = Config(database_url="postgresql://ada:hush@db/toasts", publish_secret=("hush",))
    assert "hush" not in repr(config)
