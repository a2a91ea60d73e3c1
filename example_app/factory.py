"""Make the service's Flask app from its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from flask import Flask

from toastkit.errors import ConfigError
from toastkit.senders.contract import Sender
from toastkit.verifiers import ClerkVerifier
from toastkit.verifiers.contract import Verifier
from toastkit_flask import ToastKit
from toastkit_flask.state import state

from . import demo
from .database import Database
from .posthog import alias_sender
from .services.accounts import Accounts
from .services.flags import Flags
from .services.projects import Projects
from .settings import Clerk, Settings
from .tables import OWNED
from .views import CONTROLS, Services, doors


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Make the app; without ``environ`` the process's own environment is read.

    The keys of the identity provider are fetched when the first token comes; in demo mode they
    are in the instance folder.

    Raises:
        ConfigError: a setting is wrong, a key is none, or demo mode's can neither be read nor kept.
        StorageUnavailable: the database cannot be opened or written.
    """
    settings = Settings.read(os.environ if environ is None else environ)
    app = Flask("example_app", instance_path=str(make_instance(settings)), static_folder=None)
    verifier: Verifier
    senders: list[Sender] = [alias_sender(settings.posthog)]
    if settings.clerk:
        verifier, config = make_verifier(settings.clerk), settings.config
    else:
        installed = demo.install(app, settings)
        verifier, config = installed.verifier, installed.config
        senders.append(installed.sender)
    toastkit = ToastKit(app, verifiers=(verifier,), senders=senders, owned=OWNED, **asdict(config))
    tell_sources(app, settings)
    state(app).gunicorn[:] = ["-c", str(Path(__file__).with_name("gunicorn.conf.py"))]
    serve(app, toastkit)
    return app


def tell_sources(app: Flask, settings: Settings) -> None:
    """Tell toastkit where its settings were said, for whoever asks what is in force."""
    known = state(app).sources
    known.clear()
    known.update(settings.sources)


def serve(app: Flask, toastkit: ToastKit) -> None:
    """Give an app the service's own tables and doors, and toastkit what they know of users.

    Raises:
        StorageUnavailable: the database cannot be opened or written.
    """
    with app.app_context():
        kit = toastkit.kit
    database = Database(kit.config.database_url, kit.node.runtime)
    accounts = Accounts(database, kit.node.clock)
    toastkit.signed_in(accounts.signed_in)
    toastkit.profile(accounts.profile)
    toastkit.subscription(accounts.subscription)
    toastkit.secrets(accounts.secrets)
    prefix = kit.config.url_prefix
    for kind, path in CONTROLS.items():
        toastkit.register_control(kind, prefix + path)
    services = Services(accounts, Projects(database, kit.node.clock), Flags(database))
    app.register_blueprint(doors(services), url_prefix=prefix)


def make_instance(settings: Settings) -> str:
    """Make the instance folder for this user alone, and return its path.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"INSTANCE_PATH={settings.instance}: {error.strerror}") from None
    return str(settings.instance)


def make_verifier(clerk: Clerk) -> ClerkVerifier:
    """Make what checks Clerk's tokens; it fetches nothing yet.

    Raises:
        ConfigError: the keys would come on a way that cannot be trusted.
    """
    return ClerkVerifier(
        issuer=clerk.issuer,
        authorized_parties=clerk.authorized_parties,
        jwks_url=clerk.jwks_url,
    )
