"""The one object a Flask app needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Flask, request, request_started

from toastkit import Config, Kit
from toastkit.clock import Clock
from toastkit.config import PREFIX, unknown
from toastkit.current import register_finder
from toastkit.hooks import Authorize, Facts, Hooks, SignedIn, UserLoader
from toastkit.publishing import controls
from toastkit.senders.contract import Sender
from toastkit.storage import Ownable
from toastkit.verifiers.contract import Verifier

from . import cli, hosting, logins, logs, metering, mounting, origins, places, testcases
from .ratelimits import RateLimits
from .state import KEY, State, current_kit, find_kit


class ToastKit:
    """Give a Flask app toasts: ``ToastKit(app)``, or ``init_app(app)`` later.

    One object serves any number of apps; what belongs to an app stays with it, in
    ``app.extensions["toastkit"]``. ``db``, the app's Flask-SQLAlchemy, puts toastkit's tables into
    its database. ``verifiers`` check tokens of an identity provider, ``senders`` carry what is owed
    to the outside world. ``owned`` names the app's own tables that hold what is users', such as
    ``Owned.of(Project)``. Further options are settings, used where ``app.config`` says nothing
    (``publish_secret=("…",)``).
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        db: Any = None,
        verifiers: Sequence[Verifier] = (),
        senders: Sequence[Sender] = (),
        clock: Clock | None = None,
        owned: Iterable[Ownable] | None = None,
        **settings: Any,
    ) -> None:
        self._db = db
        self._verifiers = verifiers
        self._senders = tuple(senders)
        self._clock = clock
        self._owned = None if owned is None else tuple(owned)
        self._settings = _known(settings)
        self._hooks = Hooks()
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Flask,
        *,
        db: Any = None,
        senders: Sequence[Sender] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Set toastkit up on an app whose configuration is complete; later changes do not count.

        Reads ``TOASTKIT_`` followed by the name of a setting, in capitals; the settings are
        explained in the documentation and in ``toastkit.Config``:

        ``DATABASE_URL``, ``REDIS_URL``, ``REDIS_PREFIX``, ``REDIS_TIMEOUT_MS``, ``RUNTIME``, ``GATEWAY``, ``SURFACES``, ``URL_PREFIX``, ``PUBLIC_URL``,
        ``ALLOWED_ORIGINS``, ``TRUSTED_HOSTS``, ``PUBLISH_SECRET``, ``METRICS_SECRET``, ``DEFAULT_BUNDLE_ID``,
        ``SESSION_PREFIX``, ``SESSION_SECONDS``, ``TICKET_SECONDS``, ``SESSION_FRESH_MS``,
        ``SESSION_CACHE``, ``EXPIRING_SECONDS``, ``EXPIRED_SECONDS``, ``DEVICE_SECRET``,
        ``DEVICES_PER_USER``, ``DELIVERY_SECONDS``, ``CARRY``, ``FALLBACK``, ``FALLBACK_SECONDS``,
        ``RECONNECT_MS``, ``APNS_TEAM_ID``, ``APNS_KEY_ID``, ``APNS_KEY_FILE``, ``APNS_HOST``,
        ``APNS_SANDBOX_HOST``, ``APNS_CA_FILE``, ``CONFIRM_MS``, ``DUE_MS``, ``SWEEP_MS``,
        ``LEASE_MS``, ``UNDECIDED_MS``, ``ACK_TIMEOUT_MS``, ``REPLAY_MOST``, ``RETENTION_DAYS``,
        ``PRUNE_SECONDS``, ``DEDUPE_MS``, ``STORAGE_WAIT_MS``, ``PING_SECONDS``, ``PONG_SECONDS``,
        ``SLOW_SECONDS``, ``CLOSE_SECONDS``, ``MESSAGE_BYTES``, ``MESSAGE_SECONDS``,
        ``MESSAGE_FRAGMENTS``, ``MESSAGE_RATE``, ``MESSAGE_BURST``, ``MESSAGE_ERRORS``,
        ``TOPICS_PER_CONNECTION``, ``TOPICS_PER_MESSAGE``, ``CONNECTIONS_PER_USER``,
        ``CONNECTIONS``, ``BUFFER_MESSAGES``, ``BUFFER_BYTES``, ``SOCKET_SEND_BYTES``,
        ``FANOUT_INLINE``, ``FANOUT_SLICE``, ``RATE_LIMITS``, ``BOOTSTRAP_RATE``, ``REGISTER_RATE``,
        ``PUBLISH_RATE``, ``LIST_RATE``, ``INBOX_RATE``, ``SESSION_RATE``, ``ANONYMOUS_RATE``,
        ``DEVICE_RATE``, ``REBIND_RATE``, ``PROFILE_RATE``, ``STREAM_RATE``, ``BODY_BYTES``,
        ``CONTROL_BYTES``.

        With ``db`` the toasts are kept in the default database of that Flask-SQLAlchemy object,
        whose ``init_app`` must have been called, and its migrations make toastkit's tables.
        Without it and without ``TOASTKIT_DATABASE_URL`` they are kept in the app's instance
        folder, in ``toastkit.db``; in a test, or beside a database in memory, in a file that is
        deleted with the app. ``senders`` and ``clock`` take the place of this object's, as a test
        wants.

        Raises:
            ConfigError: a setting is wrong, a path is taken, or toastkit is set up here already.
        """
        hosting.ensure_app(app)
        db = self._db if db is None else db
        config = self._configure(app, db)
        origins.check(config)
        metrics = metering.make(config)
        kit = Kit(
            config,
            hooks=self._hooks,
            verifiers=self._verifiers,
            senders=self._senders if senders is None else senders,
            owned=self._owned,
            context=app.app_context,
            sender=app,
            clock=self._clock if clock is None else clock,
            host=None if db is None else hosting.host(app, db),
            metrics=metrics,
        )
        state = State(
            kit,
            self._hooks,
            RateLimits(config, kit.node.clock),
            sources=hosting.sources_of(app, self._settings, db=db is not None),
            verifiers=bool(self._verifiers),
            metrics=metrics,
            own_schema=db is None,
        )
        mounting.mount(app, config)
        cli.register(app)
        app.extensions[KEY] = state
        register_finder(find_kit)
        logs.install()
        self._settle_at_first_request(app)
        testcases.close_with_its_test(kit)

    @property
    def kit(self) -> Kit:
        """The current app's kit.

        Raises:
            NoKit: toastkit is not set up on it.
        """
        return current_kit()

    def user_loader(self, loader: UserLoader) -> UserLoader:
        """Name the function that returns the id of the user a request belongs to, or ``None``.

        Without one Flask-Login is asked, where it is set up.

        Raises:
            ConfigError: it is async, or cannot be called without arguments.
        """
        logins.ensure_loader(loader)
        self._hooks.user_loader = loader
        return loader

    def authorize(self, rule: Authorize) -> Authorize:
        """Name the function that may refuse what the namespace rule allows.

        It is called with ``(user_id, action, topic)`` in an app context and returns a bool.
        """
        logins.ensure_plain("authorize", rule)
        self._hooks.authorize = rule
        return rule

    def signed_in(self, hook: SignedIn) -> SignedIn:
        """Name the function that is told of every sign-in (B1): the place to make a user's row.

        It is called with the user id and the verified claims before the session is made; when it
        raises, nobody is signed in.
        """
        logins.ensure_plain("signed_in", hook)
        self._hooks.signed_in = hook
        return hook

    def profile(self, hook: Facts) -> Facts:
        """Name the function that returns what ``GET /auth/bootstrap`` says as ``profile`` (B6).

        It is called with a user id, which may be an anonymous one, and returns a mapping with any
        of ``name``, ``email``, ``plan``, ``credits_used``, ``credits_total`` and fields of its own,
        or ``None``. What is missing has its default: no name, plan ``free``, no credits.
        """
        logins.ensure_plain("profile", hook)
        self._hooks.profile = hook
        return hook

    def subscription(self, hook: Facts) -> Facts:
        """Name the function that returns ``plan``, ``credits_used`` and ``credits_total`` (B6).

        They are told in ``profile``, too, and win over what that hook says.
        """
        logins.ensure_plain("subscription", hook)
        self._hooks.subscription = hook
        return hook

    def secrets(self, hook: Facts) -> Facts:
        """Name the function that tells which secrets a user has deposited (B6).

        It returns booleans by name, such as ``has_github_pat``; anything else becomes one.
        """
        logins.ensure_plain("secrets", hook)
        self._hooks.secrets = hook
        return hook

    def register_control(self, kind: str, refetch: str) -> None:
        """Register a kind of control with the path a client fetches again when it hears it (A27).

        A kind that is published without is warned about once, and so is a path that no route of
        the app answers, at the first request.

        Raises:
            ConfigError: the kind is no words joined by dots, the path is none, or the kind is
                registered for another path.
        """
        controls.register(self._hooks, kind, refetch)

    def _configure(self, app: Flask, db: Any) -> Config:
        if db is not None:
            return self._join_host(app, db)
        if hosting.names_database(app, self._settings):
            config = Config.from_mapping(app.config, **self._settings)
            hosting.warn_of_migrations(app, config.database_url)
            return config
        place = places.default(app)
        return Config.from_mapping(app.config, **{**self._settings, "database_url": place})

    def _join_host(self, app: Flask, db: Any) -> Config:
        hosting.ensure_only_one(app, self._settings)
        url = hosting.database_url(app, db)
        given = {**self._settings, "database_url": url or places.passing(app)}
        config = Config.from_mapping(app.config, **given)
        hosting.add_tables(db)
        if url is None and not app.testing:
            app.logger.warning(
                "SQLALCHEMY_DATABASE_URI is a database in memory, which toastkit cannot share: "
                "its toasts are kept in a passing file, and lost when this process ends"
            )
        return config

    def _settle_at_first_request(self, app: Flask) -> None:
        known = hosting.settings(app)

        def settle(app: Flask, **_: object) -> None:
            request_started.disconnect(settle, app)
            mounting.settle(app)
            hosting.warn_of_late_settings(app, known)
            self._warn_if_nobody_can_sign_in(app)
            mounting.warn_of_nowhere(app, self._hooks.controls)
            # Whatever was asked for: from now on this process can know who is there.
            current_kit().node.serve(alone=not request.environ.get("wsgi.multiprocess"))

        # Not weakly: nothing else holds this function.
        request_started.connect(settle, app, weak=False)

    def _warn_if_nobody_can_sign_in(self, app: Flask) -> None:
        if not (self._hooks.user_loader or self._verifiers or logins.has_flask_login(app)):
            app.logger.warning(
                "toastkit cannot know who is asking: name a function with @toastkit.user_loader, "
                "set Flask-Login up, or give ToastKit(verifiers=...)"
            )


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as they are; raise for one that is none, where it is written."""
    for key, near in unknown({PREFIX + name.upper(): name for name in settings}).items():
        guess = f"; did you mean {near.removeprefix(PREFIX).lower()}?" if near else ""
        raise TypeError(f"ToastKit() has no option {key.removeprefix(PREFIX).lower()}{guess}")
    return settings
