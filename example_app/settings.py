"""Every environment variable of the service, and what it means for toastkit's own settings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from toastkit.config import ENVIRONMENT, PREFIX, Config, sources
from toastkit.errors import ConfigError

DEMO_SECRET = "toast_publish_secret"
"""The publish secret of demo mode: the word the contract's own example has in its place."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Name one environment variable; ``field`` is the setting of ``Config`` it stands for."""

    name: str
    meaning: str
    default: str = "unset"
    field: str = ""


_RECORDED = "unset: no pushes; demo mode records them"
VARIABLES = (
    Variable("HOST", "bind address", "127.0.0.1"),
    Variable("PORT", "bind port; 0 takes a free one", "8000"),
    Variable("WEB_CONCURRENCY", "workers; more than one need REDIS_URL", "1"),
    Variable("INSTANCE_PATH", "folder of the SQLite file and the demo key", "./instance"),
    Variable(
        "DATABASE_URL", "SQLAlchemy URL", "SQLite file in the instance folder", "database_url"
    ),
    Variable(
        "REDIS_URL",
        "Redis between workers and machines, such as redis://localhost:6379/0",
        "unset: one worker serves all",
        "redis_url",
    ),
    Variable("PUBLIC_URL", "origin used in ws_url", "the request's own host", "public_url"),
    Variable("ALLOWED_ORIGINS", "browser origins that may act", "same origin", "allowed_origins"),
    Variable("CLERK_JWKS_URL", "keys that verify Clerk JWTs (https)"),
    Variable("CLERK_ISSUER", "iss of Clerk JWTs"),
    Variable("CLERK_AUTHORIZED_PARTIES", "comma list for azp of Clerk JWTs"),
    Variable(
        "TOAST_PUBLISH_SECRET_KEY",
        "bearer of POST /v1/toasts/publish; comma list while rotating",
        "unset: publishing answers 503; demo mode has its own",
        "publish_secret",
    ),
    Variable(
        "DEFAULT_BUNDLE_ID",
        "bundle id when a client names none",
        "com.bairisland.manticscore",
        "default_bundle_id",
    ),
    Variable("APNS_TEAM_ID", "Apple team that sends pushes", _RECORDED, "apns_team_id"),
    Variable("APNS_KEY_ID", "id of its key", _RECORDED, "apns_key_id"),
    Variable("APNS_KEY_FILE", "that key (.p8)", _RECORDED, "apns_key_file"),
    Variable("APNS_HOST", "host[:port] pushes go to", "api.push.apple.com", "apns_host"),
    Variable(
        "APNS_SANDBOX_HOST",
        "host[:port] for phones of the sandbox",
        "Apple's, or APNS_HOST if that is another",
        "apns_sandbox_host",
    ),
    Variable("APNS_CA_FILE", "certificates it may show, besides the usual", field="apns_ca_file"),
    Variable("POSTHOG_API_KEY", "project key; a rebind is told to PostHog", "unset: recorded only"),
    Variable("POSTHOG_HOST", "where PostHog is", "https://us.i.posthog.com"),
    Variable("RATE_LIMITS", "0 switches every rate limit on HTTP off", "1", "rate_limits"),
    Variable("LOG_FORMAT", "json: the log is one JSON object a line", "text"),
    Variable("TOASTKIT_DEMO", "1 chooses demo mode, 0 declines it", "1 for python -m example_app"),
)
POSTHOG_HOST = "https://us.i.posthog.com"
CLERK = ("CLERK_JWKS_URL", "CLERK_ISSUER", "CLERK_AUTHORIZED_PARTIES")
APNS = ("APNS_TEAM_ID", "APNS_KEY_ID", "APNS_KEY_FILE")
_NOT_YET = ("RELAY_", "SUBSCRIPTIONS_PUBLIC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """Say whose JWTs are believed."""

    jwks_url: str
    issuer: str
    authorized_parties: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostHog:
    """Say where a rebind is told to."""

    api_key: str = field(repr=False)
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold what one process of the service was told.

    ``clerk`` is ``None`` exactly in demo mode, ``posthog`` where no key of it was given.
    ``ignored`` names variables that were set for something this version does not have, ``sources``
    says where each setting of ``config`` was said.
    """

    host: str
    port: int
    workers: int
    json_logs: bool
    instance: Path
    demo: bool
    clerk: Clerk | None
    posthog: PostHog | None
    ignored: tuple[str, ...]
    config: Config
    sources: Mapping[str, str]

    @property
    def pushes(self) -> bool:
        """Tell whether pushes are sent."""
        return bool(self.config.apns_key_file)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; a blank variable counts as unset.

        Raises:
            ConfigError: a value is not understood, two contradict each other, or nobody could
                ever sign in.
        """
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        demo = _flag(given, "TOASTKIT_DEMO", default=False)
        clerk = _clerk(environ, demo=demo)
        instance = Path(given.get("INSTANCE_PATH", "instance")).absolute()
        settings = cls(
            host=given.get("HOST", "127.0.0.1"),
            port=_port(given.get("PORT", "8000")),
            workers=_workers(given),
            json_logs=_choice(given, "LOG_FORMAT", ("text", "json")) == "json",
            instance=instance,
            demo=demo,
            clerk=clerk,
            posthog=_posthog(given),
            ignored=_ignored(given),
            config=_config(given, instance, demo=demo),
            sources=_sources(given, demo=demo),
        )
        ensure_joined(settings.config, settings.workers, f"WEB_CONCURRENCY={settings.workers}")
        if demo and not is_loopback(settings.host):
            raise ConfigError(
                f"HOST={settings.host}: demo mode lets anyone sign in as anyone and stays on "
                "this machine; use 127.0.0.1, or set CLERK_*"
            )
        return settings


def chooses_demo(environ: Mapping[str, str]) -> bool:
    """Tell whether ``python -m example_app`` means demo mode: nobody named an identity provider.

    A variable that is there but blank was meant to hold something: a secret that failed to
    arrive must not open every door.
    """
    return "TOASTKIT_DEMO" not in environ and not _clerk_names(environ)


def ensure_joined(config: Config, workers: int, said: str) -> None:
    """Make sure that several workers hear each other; ``said`` is how their number was set.

    Raises:
        ConfigError: nothing is between them.
    """
    if workers > 1 and not config.redis_url:
        raise ConfigError(
            f"{said}: several workers need Redis between them, or each would deny the clients of "
            "the others: set REDIS_URL, or start one"
        )


def is_loopback(host: str) -> bool:
    """Tell whether an address or host name reaches this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _clerk_names(environ: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environ if name.startswith("CLERK_"))


def _clerk(environ: Mapping[str, str], *, demo: bool) -> Clerk | None:
    named = _clerk_names(environ)
    missing = [name for name in CLERK if not environ.get(name, "").strip()]
    if demo and named:
        raise ConfigError(f"TOASTKIT_DEMO=1 and {named[0]} contradict each other: unset one")
    if demo:
        return None
    if not named:
        raise ConfigError(
            f"nobody could sign in: set {', '.join(CLERK)}, or TOASTKIT_DEMO=1 to try it here"
        )
    if missing:
        raise ConfigError(f"{', '.join(missing)} missing: set all of {', '.join(CLERK)}")
    url = environ[CLERK[0]].strip()
    if not _is_trusted(url):
        raise ConfigError(
            f"CLERK_JWKS_URL={url}: it must begin with https:// (http:// from this machine only)"
        )
    parties = tuple(party.strip() for party in environ[CLERK[2]].split(",") if party.strip())
    return Clerk(jwks_url=url, issuer=environ[CLERK[1]].strip(), authorized_parties=parties)


def _is_trusted(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return here or bool(parts.scheme == "https" and parts.hostname)


def _posthog(given: Mapping[str, str]) -> PostHog | None:
    host = given.get("POSTHOG_HOST", POSTHOG_HOST)
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", host):
        raise ConfigError(f"POSTHOG_HOST={host}: it must be like {POSTHOG_HOST}")
    key = given.get("POSTHOG_API_KEY")
    return None if key is None else PostHog(api_key=key, host=host.rstrip("/"))


def _ensure_whole_apns(config: Config) -> None:
    values = (config.apns_team_id, config.apns_key_id, config.apns_key_file)
    missing = [name for name, value in zip(APNS, values, strict=True) if not value]
    if 0 < len(missing) < len(APNS):
        raise ConfigError(f"{', '.join(missing)} missing: set all of {', '.join(APNS)}, or none")


def _ignored(given: Mapping[str, str]) -> tuple[str, ...]:
    known = {variable.name for variable in VARIABLES}
    named = [name for name in given if name.startswith(("APNS_", *_NOT_YET))]
    return tuple(sorted(name for name in named if name not in known))


def _config(given: Mapping[str, str], instance: Path, *, demo: bool) -> Config:
    known = {setting.name for setting in fields(Config)}
    values: dict[str, Any] = {
        PREFIX + variable.field.upper(): given[variable.name]
        for variable in VARIABLES
        if variable.field in known and variable.name in given
    }
    if "RATE_LIMITS" in given:
        values[f"{PREFIX}RATE_LIMITS"] = _flag(given, "RATE_LIMITS", default=True)
    values |= {name: value for name, value in given.items() if name.startswith(PREFIX)}
    config = Config.from_mapping(
        values,
        database_url=f"sqlite:///{instance / 'toastkit.db'}",
        surfaces=("toasts", "auth", "metrics"),
        publish_secret=(DEMO_SECRET,) if demo else (),
    )
    _ensure_whole_apns(config)
    return config


def _sources(given: Mapping[str, str], *, demo: bool) -> dict[str, str]:
    found = {"database_url": "the instance folder", "surfaces": "the service"}
    if demo:
        found["publish_secret"] = "demo mode"
    named = [each for each in VARIABLES if each.field and each.name in given]
    found |= {each.field: f"{each.name} in {ENVIRONMENT}" for each in named}
    return found | sources(given, ENVIRONMENT)


def _flag(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = given.get(name)
    if value not in {None, "0", "1"}:
        raise ConfigError(f"{name}={value}: it must be 1 or 0")
    return default if value is None else value == "1"


def _choice(given: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    value = given.get(name, choices[0])
    if value not in choices:
        raise ConfigError(f"{name}={value}: it must be {' or '.join(choices)}")
    return value


def _workers(given: Mapping[str, str]) -> int:
    count = _number(given, "WEB_CONCURRENCY", 1)
    if count < 1:
        raise ConfigError(f"WEB_CONCURRENCY={count}: it must be at least 1")
    return count


def _port(text: str) -> int:
    port = _number({"PORT": text}, "PORT", 8000)
    if port > 65535:
        raise ConfigError(f"PORT={text}: it must be 0 to 65535")
    return port


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError(f"{name}={text}: it must be a whole number")
    return int(text)
