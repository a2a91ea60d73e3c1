"""What only a Flask app can have wrong: its settings' place, its login, its paths, its proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, has_app_context
from msgspec import Struct
from werkzeug.middleware.proxy_fix import ProxyFix

from toastkit import Config
from toastkit.config import ENVIRONMENT, PREFIX, sources
from toastkit.doctor import Facts, Finding, Patient, fail, info, ok, register_patient, warn
from toastkit.errors import ConfigError

from . import logins, mounting
from .hosting import APP_CONFIG, is_default_place
from .state import KEY, State, state

FLASK = "FLASK_"

KNOWN_SECRETS = frozenset({"toast_publish_secret", "my-secret", "my-key", "secret", "changeme"})
"""What stands in documents, and is tried first."""

SHORT_SECRET = 16
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
WRAPPED = ("app", "wsgi_app", "application")
"""Where a middleware keeps what it wraps."""


class AppFacts(Struct, frozen=True, kw_only=True):
    """Hold what is known of an app.

    ``stray`` are keys of the environment that the app did not read, ``prefixed`` those of them that
    begin with ``FLASK_``, ``late`` those of its ``app.config`` that were changed after ToastKit had
    read them. ``proxies`` is how many proxies' addresses ProxyFix believes; ``csrf`` is ``exempt``,
    ``strange`` or empty.
    """

    config: Config
    user_loader: bool = False
    verifiers: bool = False
    flask_login: bool = False
    remembers: bool = False
    secret_key: bool = False
    stray: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    prefixed: tuple[str, ...] = ()
    database_stray: bool = False
    redis_stray: bool = False
    collisions: tuple[str, ...] = ()
    csrf: str = ""
    proxies: int = 0


def register() -> None:
    """Have the current app be examined wherever there is one."""
    register_patient(find_patient)


def find_patient() -> Patient | None:
    """Return the current app as a patient, or ``None`` where there is none."""
    if not has_app_context() or KEY not in current_app.extensions:
        return None
    here, app = state(), current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    environ = os.environ

    def check_app(facts: Facts) -> Iterator[Finding]:
        return check(gather(app, here, facts.patient.environ))

    return Patient(
        config=here.kit.config,
        sources=here.sources,
        said={APP_CONFIG: app.config, ENVIRONMENT: environ},
        kit=here.kit,
        own_schema=here.own_schema,
        environ=environ,
        words=here.gunicorn,
        more=(("app", check_app),),
        command="flask toastkit",
    )


def gather(app: Flask, here: State, environ: Mapping[str, str]) -> AppFacts:
    """Look at an app; calls nothing of its own."""
    config, login = here.kit.config, getattr(app, "login_manager", None)
    theirs = [rule for rule in app.url_map.iter_rules() if not mounting.is_ours(rule)]
    return AppFacts(
        config=config,
        user_loader=here.hooks.user_loader is not None,
        verifiers=here.verifiers,
        flask_login=logins.has_flask_login(app),
        remembers=_remembers(login),
        secret_key=bool(app.secret_key),
        stray=tuple(_stray(config, here.sources, environ)),
        late=tuple(_late(app, config, here.sources)),
        prefixed=tuple(_prefixed(app, environ)),
        database_stray="DATABASE_URL" in environ and is_default_place(here.sources),
        redis_stray="REDIS_URL" in environ and not config.redis_url,
        collisions=tuple(mounting.collisions(app, theirs)),
        csrf=_csrf(app),
        proxies=_proxies(app.wsgi_app),
    )


def check(facts: AppFacts) -> Iterator[Finding]:
    """Say whether users can sign in, publish and be reached."""
    yield from _check_keys(facts)
    yield from _check_login(facts)
    yield from _check_secret(facts.config)
    yield from _check_origins(facts.config)
    yield from _check_paths(facts)
    yield from _check_proxy(facts)


def _check_keys(facts: AppFacts) -> Iterator[Finding]:
    for key in facts.stray:
        yield warn(
            "settings",
            f"{key} in the environment does nothing: a Flask app reads {APP_CONFIG}",
            f"before ToastKit(app): app.config[{key!r}] = os.environ[{key!r}]; or name it "
            f"FLASK_{key} and call app.config.from_prefixed_env()",
        )
    for key in facts.prefixed:
        yield warn(
            "settings",
            f"{key} in the environment does nothing: the app does not read such keys",
            "call app.config.from_prefixed_env() before ToastKit(app)",
        )
    for key in facts.late:
        yield warn(
            "settings",
            f"{key} in {APP_CONFIG} was changed after ToastKit had read it, and does nothing",
            "set it before ToastKit(app) or init_app(app)",
        )
    if facts.database_stray:
        yield warn(
            "settings",
            "DATABASE_URL in the environment does nothing: toasts are kept in the instance folder",
            f"app.config['{PREFIX}DATABASE_URL'] = os.environ['DATABASE_URL'], or ToastKit(app, db=db)",
        )
    if facts.redis_stray:
        yield info(
            "settings",
            "REDIS_URL in the environment is not toastkit's: this process tells its own clients alone",
            f"with several workers: app.config['{PREFIX}REDIS_URL'] = os.environ['REDIS_URL']",
        )


def _check_login(facts: AppFacts) -> Iterator[Finding]:
    ways = {
        "user_loader": facts.user_loader,
        "verifiers": facts.verifiers,
        "Flask-Login": facts.flask_login and not facts.user_loader,
    }
    if not any(ways.values()):
        yield fail(
            "login",
            "nobody can sign in: toastkit cannot know who is asking",
            "name a function with @toastkit.user_loader, set Flask-Login up, or give "
            "ToastKit(verifiers=...)",
        )
        return
    yield ok("login", f"users are known by {', '.join(name for name, has in ways.items() if has)}")
    if facts.flask_login and not facts.remembers:
        yield fail(
            "login",
            "Flask-Login has no user_loader of its own, so it knows nobody",
            "@login_manager.user_loader def load_user(user_id): ...",
        )
    if facts.flask_login and not facts.secret_key:
        yield fail(
            "login",
            "the app has no SECRET_KEY, so no session of Flask can be signed",
            "app.secret_key = secrets.token_hex(), made once and kept",
        )


def _check_secret(config: Config) -> Iterator[Finding]:
    if "toasts" not in config.surfaces:
        return
    secrets = [secret.strip() for secret in config.publish_secret if secret.strip()]
    remedy = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes a good one"
    if not secrets:
        text = "no publish secret is set: publishing over HTTP answers 503; from Python it works"
        yield info("publish", text, "to open it set TOASTKIT_PUBLISH_SECRET")
    elif any(secret in KNOWN_SECRETS for secret in secrets):
        yield warn("publish", "the publish secret is one that stands in documents", remedy)
    elif any(len(secret) < SHORT_SECRET for secret in secrets):
        yield warn("publish", "the publish secret is short enough to be guessed", remedy)
    else:
        yield ok("publish", "a publish secret is set")


def _check_origins(config: Config) -> Iterator[Finding]:
    public = urlsplit(config.public_url)
    for origin in filter(None, (config.public_url, *config.allowed_origins)):
        parts = urlsplit(origin)
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            yield warn(
                "origins",
                f"{origin} is not https: tokens and toasts can be read on the way",
                "end TLS in a proxy in front, and name it with https://",
            )
    if public.hostname and config.trusted_hosts and not _is_trusted(public.netloc, config):
        yield fail(
            "origins",
            f"TOASTKIT_TRUSTED_HOSTS lacks {public.hostname} of TOASTKIT_PUBLIC_URL, so every "
            "request for it is 403",
            f"add {public.hostname} to it",
        )


def _is_trusted(netloc: str, config: Config) -> bool:
    from werkzeug.sansio.utils import host_is_trusted

    return host_is_trusted(netloc, config.trusted_hosts)


def _check_paths(facts: AppFacts) -> Iterator[Finding]:
    for clash in facts.collisions:
        text, _, remedy = clash.partition(": ")
        yield fail("paths", text, remedy)
    surfaces = ", ".join(facts.config.surfaces) or "none"
    yield ok("paths", f"surfaces {surfaces} below {facts.config.url_prefix or '/'}")
    if facts.csrf == "exempt":
        yield ok("csrf", "toastkit's views are taken out of the app's CSRF protection")
    elif facts.csrf:
        yield warn(
            "csrf",
            "the app's CSRF protection is none toastkit knows, and may refuse its requests",
            "take toastkit's views out of it: they are signed in by a header no other page can send",
        )


def _check_proxy(facts: AppFacts) -> Iterator[Finding]:
    if facts.config.public_url.startswith("https:") and not facts.proxies:
        yield warn(
            "proxy",
            "TOASTKIT_PUBLIC_URL is https, so a proxy is in front, but every request has the proxy's "
            "address: rates count all clients as one",
            "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1), from "
            "werkzeug.middleware.proxy_fix",
        )


def _stray(config: Config, said: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys of the environment that nobody read, and that would change something."""
    for name, source in sources(environ, ENVIRONMENT).items():
        key = source.partition(" ")[0]
        if said.get(name) != source and _differs(config, name, {key: environ[key]}):
            yield key


def _prefixed(app: Flask, environ: Mapping[str, str]) -> Iterator[str]:
    start = FLASK + PREFIX
    yield from (
        key for key in environ if key.startswith(start) and key[len(FLASK) :] not in app.config
    )


def _late(app: Flask, config: Config, said: Mapping[str, str]) -> Iterator[str]:
    for name, source in sources(app.config, APP_CONFIG).items():
        key = source.partition(" ")[0]
        # With db= another database may not even be named; a service may keep its settings elsewhere.
        if said.get(name, source) == source and _differs(config, name, {key: app.config[key]}):
            yield key


def _differs(config: Config, name: str, said: Mapping[str, Any]) -> bool:
    try:
        return bool(getattr(Config.from_mapping(said), name) != getattr(config, name))
    except ConfigError:
        return True


def _remembers(login: Any) -> bool:
    names = ("_user_callback", "_request_callback")
    return login is not None and any(getattr(login, name, None) is not None for name in names)


def _csrf(app: Flask) -> str:
    protection = app.extensions.get("csrf")
    if protection is None:
        return ""
    return "exempt" if callable(getattr(protection, "exempt", None)) else "strange"


def _proxies(outermost: Any) -> int:
    """Return how many addresses in front of the app are believed, through any middleware."""
    layer, seen = outermost, 0
    while layer is not None and seen < 50:
        if isinstance(layer, ProxyFix):
            return layer.x_for
        inner = (getattr(layer, name, None) for name in WRAPPED)
        # A bound method is Flask's own wsgi_app: the innermost.
        layer = None if hasattr(layer, "__self__") else next(filter(None, inner), None)
        seen += 1
    return 0
