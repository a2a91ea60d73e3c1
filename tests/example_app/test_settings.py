"""The environment table, and the rules of demo mode."""

from pathlib import Path

import pytest

from example_app.settings import (
    APNS,
    CLERK,
    DEMO_SECRET,
    PostHog,
    Settings,
    chooses_demo,
    is_loopback,
)
from toastkit.errors import ConfigError

DEMO = {"TOASTKIT_DEMO": "1"}
CLERKS = {
    "CLERK_JWKS_URL": "https://clerk.example/jwks.json",
    "CLERK_ISSUER": "https://clerk.example",
    "CLERK_AUTHORIZED_PARTIES": "https://a.example, https://b.example",
}


def refused(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Settings.read(environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults() -> None:
    settings = Settings.read(DEMO)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.workers, settings.config.redis_url) == (1, "")
    assert not settings.json_logs
    assert settings.instance == Path("instance").absolute()
    assert settings.config.database_url == f"sqlite:///{settings.instance}/toastkit.db"
    assert settings.config.default_bundle_id == "com.bairisland.manticscore"
    assert settings.config.rate_limits


def test_the_documented_names_become_settings() -> None:
    settings = Settings.read(
        CLERKS
        | {
            "HOST": "0.0.0.0",
            "PORT": "0",
            "DATABASE_URL": "sqlite:////var/toasts.db",
            "PUBLIC_URL": "https://toasts.example",
            "ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "TOAST_PUBLISH_SECRET_KEY": "new,old",
            "DEFAULT_BUNDLE_ID": "com.example",
            "RATE_LIMITS": "0",
            "TOASTKIT_CONFIRM_MS": "99",
        }
    )
    config = settings.config
    assert (settings.host, settings.port) == ("0.0.0.0", 0)
    assert config.database_url == "sqlite:////var/toasts.db"
    assert config.public_url == "https://toasts.example"
    assert config.allowed_origins == ("https://a.example", "https://b.example")
    assert config.publish_secret == ("new", "old")
    assert config.default_bundle_id == "com.example"
    assert config.rate_limits is False
    assert config.confirm_ms == 99


def test_a_setting_of_toastkit_wins_over_the_documented_name() -> None:
    given = DEMO | {"PUBLIC_URL": "https://a.example", "TOASTKIT_PUBLIC_URL": "https://b.example"}
    assert Settings.read(given).config.public_url == "https://b.example"


def test_blank_counts_as_unset() -> None:
    blank = {
        "LOG_FORMAT": " ",
        "HOST": "",
        "PORT": " ",
        "REDIS_URL": "",
        "WEB_CONCURRENCY": "",
        "DATABASE_URL": "",
    }
    assert Settings.read(DEMO | blank) == Settings.read(DEMO)


def test_the_publish_secret_has_a_value_in_demo_mode_only() -> None:
    assert Settings.read(DEMO).config.publish_secret == (DEMO_SECRET,)
    assert Settings.read(CLERKS).config.publish_secret == ()
    assert Settings.read(CLERKS | {"TOAST_PUBLISH_SECRET_KEY": " "}).config.publish_secret == ()


def test_clerk_is_read_whole() -> None:
    clerk = Settings.read(CLERKS).clerk
    assert clerk is not None
    assert clerk.jwks_url == "https://clerk.example/jwks.json"
    assert clerk.issuer == "https://clerk.example"
    assert clerk.authorized_parties == ("https://a.example", "https://b.example")
    assert not Settings.read(CLERKS).demo


@pytest.mark.parametrize("missing", CLERK)
@pytest.mark.parametrize("blank", [True, False])
def test_some_but_not_all_of_clerk_is_refused(missing: str, blank: bool) -> None:
    given = {name: value for name, value in CLERKS.items() if name != missing}
    assert missing in refused(**given, **({missing: " "} if blank else {}))


def test_demo_mode_is_chosen_only_when_nothing_of_clerk_is_there() -> None:
    assert chooses_demo({"PATH": "/bin"})
    assert not chooses_demo({"CLERK_SECRET_KEY": "x"})
    assert not chooses_demo({"CLERK_ISSUER": ""})
    assert not chooses_demo({"TOASTKIT_DEMO": "0"})


def test_nobody_falls_into_demo_mode() -> None:
    assert "TOASTKIT_DEMO=1" in refused()
    assert "TOASTKIT_DEMO=1" in refused(TOASTKIT_DEMO="0")
    assert "contradict" in refused(**CLERKS, **DEMO)
    assert "contradict" in refused(**DEMO, CLERK_SECRET_KEY="x")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_demo_mode_serves_loopback(host: str) -> None:
    assert Settings.read(DEMO | {"HOST": host}).demo


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.com", "localhost.evil"])
def test_demo_mode_serves_nothing_but_loopback(host: str) -> None:
    assert not is_loopback(host)
    assert host in refused(**DEMO, HOST=host)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT=xml: it must be text or json"),
        ({"WEB_CONCURRENCY": "4"}, "WEB_CONCURRENCY=4"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY=0"),
        ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY=two"),
        ({"PORT": "http"}, "PORT=http"),
        ({"PORT": "-1"}, "PORT=-1"),
        ({"PORT": "65536"}, "PORT=65536"),
        ({"PORT": "٣"}, "PORT"),
        ({"RATE_LIMITS": "maybe"}, "RATE_LIMITS=maybe"),
        ({"TOASTKIT_CONFIRM_MS": "soon"}, "TOASTKIT_CONFIRM_MS"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, str], named: str) -> None:
    assert named in refused(**DEMO | given)


def test_several_workers_need_redis_between_them() -> None:
    said = refused(**DEMO, WEB_CONCURRENCY="2")
    assert said.startswith("WEB_CONCURRENCY=2: several workers need Redis between them")
    assert "set REDIS_URL" in said


@pytest.mark.parametrize("name", ["REDIS_URL", "TOASTKIT_REDIS_URL"])
def test_with_redis_there_may_be_several(name: str) -> None:
    url = "redis://:hush@localhost:6379/0"
    settings = Settings.read(DEMO | {"WEB_CONCURRENCY": "4", name: url})
    assert (settings.workers, settings.config.redis_url) == (4, url)
    assert settings.sources["redis_url"] == f"{name} in the environment"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "clerk.example/jwks.json",
        "https:",
        "http://clerk.example/jwks.json",
        "https://[::1",
    ],
)
def test_keys_that_anybody_could_replace_are_refused(url: str) -> None:
    assert f"CLERK_JWKS_URL={url}" in refused(**CLERKS | {"CLERK_JWKS_URL": url})


def test_keys_from_this_machine_may_come_by_http() -> None:
    assert Settings.read(CLERKS | {"CLERK_JWKS_URL": "http://127.0.0.1:9/jwks.json"}).clerk


def test_what_later_versions_read_is_not_pretended() -> None:
    settings = Settings.read(DEMO | {"APNS_KEYFILE": "t", "RELAY_APP_ID": "r"})
    assert settings.ignored == ("APNS_KEYFILE", "RELAY_APP_ID")


def test_a_rebind_is_told_where_a_key_says_so() -> None:
    assert Settings.read(DEMO).posthog is None
    settings = Settings.read(DEMO | {"POSTHOG_API_KEY": "phc_x", "POSTHOG_HOST": "http://ph.test/"})
    assert settings.posthog == PostHog(api_key="phc_x", host="http://ph.test")
    assert "phc_x" not in repr(settings)
    settings = Settings.read(DEMO | {"POSTHOG_API_KEY": "phc_x"})
    assert settings.posthog == PostHog(api_key="phc_x", host="https://us.i.posthog.com")


@pytest.mark.parametrize("host", ["ph.test", "ftp://ph.test", "https://", "https://a@ph.test"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    assert refused(**DEMO | {"POSTHOG_HOST": host}).startswith(f"POSTHOG_HOST={host}: ")


# ---- pushes


APPLE = {"APNS_TEAM_ID": "T123456789", "APNS_KEY_ID": "K123456789", "APNS_KEY_FILE": "/k.p8"}


def test_pushes_are_sent_where_all_three_variables_are_set() -> None:
    more = {"APNS_HOST": "127.0.0.1:2197", "APNS_SANDBOX_HOST": "127.0.0.1:2198"}
    more["APNS_CA_FILE"] = "/ca.pem"
    settings = Settings.read(CLERKS | APPLE | more)
    config = settings.config
    assert settings.pushes
    assert (config.apns_team_id, config.apns_key_id) == ("T123456789", "K123456789")
    assert (config.apns_key_file, config.apns_ca_file) == ("/k.p8", "/ca.pem")
    assert (config.apns_host, config.apns_sandbox_host) == ("127.0.0.1:2197", "127.0.0.1:2198")
    assert settings.ignored == ()


def test_without_them_none_are_sent() -> None:
    blank = dict.fromkeys(APPLE, " ") | {"APNS_HOST": ""}
    settings = Settings.read(CLERKS | blank)
    assert not settings.pushes
    assert settings.config.apns_host == "api.push.apple.com"


@pytest.mark.parametrize("missing", APNS)
@pytest.mark.parametrize("blank", [{}, {"": " "}])
def test_some_but_not_all_of_apns_is_refused(missing: str, blank: dict[str, str]) -> None:
    given = {name: value for name, value in APPLE.items() if name != missing}
    said = refused(**CLERKS, **given, **{missing + name: text for name, text in blank.items()})
    assert said == f"{missing} missing: set all of {', '.join(APNS)}, or none"
