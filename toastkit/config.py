"""Every setting of toastkit, once: its name, meaning and default.

A field ``confirm_ms`` is ``TOASTKIT_CONFIRM_MS`` in the environment and in ``app.config``.
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from .deliveries import read_steps
from .errors import ConfigError

PREFIX = "TOASTKIT_"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def _setting(default: Any, meaning: str, *, shown: bool = True, least: int = 1) -> Any:
    return field(default=default, metadata={"meaning": meaning, "least": least}, repr=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Hold every setting of one kit. Lists are comma separated in a text, as the environment's are."""

    database_url: str = _setting(
        "", "sqlite:////path/file.db or postgresql://user@host/name", shown=False
    )
    redis_url: str = _setting(
        "",
        "redis://host:6379/0; joins workers and machines; empty = this process alone",
        shown=False,
    )
    redis_prefix: str = _setting("toastkit", "how every key and channel in Redis begins")
    redis_timeout_ms: int = _setting(1000, "how long Redis may take to answer")
    runtime: str = _setting("auto", "auto, gevent or threads; auto = gevent where it is patched in")
    gateway: str = _setting("takeover", "takeover, or portable: slower, for other WSGI servers")

    surfaces: tuple[str, ...] = _setting(
        ("toasts", "auth"), "which surfaces are mounted, of toasts, auth and metrics"
    )
    url_prefix: str = _setting("", "put before every documented path")
    public_url: str = _setting("", "origin of ws_url; empty = the request's own host")
    allowed_origins: tuple[str, ...] = _setting((), "browser origins besides the own that may act")
    trusted_hosts: tuple[str, ...] = _setting((), "hosts toastkit's paths answer to; empty = all")

    publish_secret: tuple[str, ...] = _setting(
        (), "bearers of a publish; several while rotating", shown=False
    )
    metrics_secret: tuple[str, ...] = _setting(
        (), "bearers that may read the metrics; empty = anybody may", shown=False
    )
    default_bundle_id: str = _setting("com.bairisland.manticscore", "bundle id when none is named")

    session_prefix: str = _setting("ms_sess_", "how an opaque session token begins")
    session_seconds: int = _setting(1800, "life of an opaque session")
    ticket_seconds: int = _setting(900, "life of a WebSocket token")
    session_fresh_ms: int = _setting(1000, "how long a session is believed without asking again")
    session_cache: int = _setting(20_000, "most sessions one process remembers")
    expiring_seconds: int = _setting(60, "a client is warned this long before its token ends")
    expired_seconds: int = _setting(
        25, "a client may stay this long after its token ended, to refresh it", least=0
    )
    device_secret: bool = _setting(
        False, "1: a device's first anonymous session gives a secret that later ones must show"
    )
    devices_per_user: int = _setting(20, "devices of one user; the one unheard of longest goes")
    delivery_seconds: int = _setting(
        259_200, "how long is tried what is owed to the outside and names no end of its own"
    )
    carry: bool = _setting(
        True, "0: this process carries no deliveries; flask toastkit courier does"
    )

    fallback: tuple[str, ...] = _setting(
        ("apns",),
        "what is owed for a toast nobody is there for: kinds of senders; email@15m waits 15 minutes, "
        "and is dropped when the toast was read",
    )
    fallback_seconds: int = _setting(
        3600, "how long a fallback is tried for a toast without a time to live"
    )
    reconnect_ms: int = _setting(
        3000,
        "after its start a process gives clients this long to come back before a phone rings",
        least=0,
    )
    apns_team_id: str = _setting("", "team id of Apple's; with the next two: pushes are sent")
    apns_key_id: str = _setting("", "id of the key for pushes")
    apns_key_file: str = _setting("", "file of that key (.p8)")
    apns_host: str = _setting("api.push.apple.com", "host[:port] pushes go to")
    apns_sandbox_host: str = _setting(
        "",
        "host[:port] for devices of the sandbox; empty = Apple's, or apns_host if that is another",
    )
    apns_ca_file: str = _setting("", "certificates the push service may show, besides the usual")

    confirm_ms: int = _setting(250, "how long a publish waits for the workers' answers")
    due_ms: int = _setting(2000, "after this an undecided toast is due to be decided again")
    sweep_ms: int = _setting(500, "time between two looks for what is due")
    lease_ms: int = _setting(10_000, "how long who took what is due may leave it undecided")
    undecided_ms: int = _setting(
        60_000, "after this a toast is decided without the workers that do not answer"
    )
    ack_timeout_ms: int = _setting(
        0,
        "a toast not acked in this time is due for fallback; 0 = acks are not waited for",
        least=0,
    )
    replay_most: int = _setting(200, "most toasts one client is replayed")
    retention_days: int = _setting(90, "how long toasts are kept")
    prune_seconds: int = _setting(3600, "time between two looks for what is no longer kept")
    dedupe_ms: int = _setting(300_000, "how long a dedupe key is held")
    storage_wait_ms: int = _setting(2000, "how long a write waits for a locked database")

    ping_seconds: int = _setting(25, "time between two pings of a connection")
    pong_seconds: int = _setting(10, "silence after a ping that ends foreground")
    slow_seconds: int = _setting(5, "time without progress that ends a slow consumer")
    close_seconds: int = _setting(2, "how long a closing connection may linger")
    message_bytes: int = _setting(65_536, "largest message of a client")
    message_seconds: int = _setting(10, "longest time one message of a client may take to come")
    message_fragments: int = _setting(64, "most fragments of one message")
    message_rate: int = _setting(20, "messages and pings of one client per second")
    message_burst: int = _setting(40, "messages of one client at once")
    message_errors: int = _setting(5, "bad messages a client may send before it is closed")
    topics_per_connection: int = _setting(100, "topics of one connection")
    topics_per_message: int = _setting(50, "topics in one message")
    connections_per_user: int = _setting(50, "connections of one user on one worker")
    connections: int = _setting(15_000, "connections of one worker")
    buffer_messages: int = _setting(64, "messages that may wait for a slow reader")
    buffer_bytes: int = _setting(262_144, "bytes that may wait for a slow reader")
    socket_send_bytes: int = _setting(65_536, "SO_SNDBUF of a connection")
    fanout_inline: int = _setting(1000, "largest route served at once; larger ones in slices")
    fanout_slice: int = _setting(512, "connections served before others get their turn")

    rate_limits: bool = _setting(True, "0 switches every rate limit on HTTP off")
    bootstrap_rate: str = _setting("30/minute", "toast-bootstrap, per user")
    register_rate: str = _setting("30/minute", "register-toast, per user")
    publish_rate: str = _setting("120/minute", "publish, per secret and address")
    list_rate: str = _setting("60/minute", "list, per user")
    inbox_rate: str = _setting("120/minute", "read, seen, delete and the like, per user")
    session_rate: str = _setting("30/minute", "auth session, per address")
    anonymous_rate: str = _setting("30/minute", "auth anonymous, per address")
    device_rate: str = _setting("10/minute", "auth anonymous, per device")
    rebind_rate: str = _setting("30/minute", "auth rebind, per user")
    profile_rate: str = _setting("60/minute", "auth bootstrap, per user")
    stream_rate: str = _setting("30/minute", "toast streams begun, per user")
    body_bytes: int = _setting(65_536, "largest HTTP body")
    control_bytes: int = _setting(65_536, "largest params of a control")

    def __post_init__(self) -> None:
        for name, allowed in (
            ("runtime", {"auto", "gevent", "threads"}),
            ("gateway", {"takeover", "portable"}),
        ):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(sorted(allowed))}")
        for setting in fields(self):
            value = getattr(self, setting.name)
            least = setting.metadata["least"]
            if setting.type == "int" and (not isinstance(value, int) or value < least):
                raise ConfigError(f"{setting.name} must be a whole number and at least {least}")
            if setting.type == _LIST and not isinstance(value, tuple):
                # Also a text: letter by letter every letter of a secret would be a secret.
                object.__setattr__(self, setting.name, _read(setting.name, value, setting))
        read_steps(self.fallback)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read the settings from the environment; ``DATABASE_URL`` and ``REDIS_URL`` count, too.

        Raises:
            ConfigError: a value is not understood.
        """
        environ = os.environ if environ is None else environ
        for name in _SHORT:
            if name in environ and PREFIX + name not in environ:
                given.setdefault(name.lower(), environ[name])
        return cls.from_mapping(environ, **given)

    @classmethod
    def from_mapping(cls, mapping: Mapping[Any, Any], **given: Any) -> Self:
        """Read every ``TOASTKIT_`` key of a mapping, such as ``app.config``.

        ``given`` is used where the mapping says nothing. A key that is no setting is warned
        about, with the nearest that is, if one is near.

        Raises:
            ConfigError: a value is not understood.
        """
        settings = {setting.name: setting for setting in fields(cls)}
        values = dict(given)
        for key, value in mapping.items():
            if not isinstance(key, str) or not key.startswith(PREFIX):
                continue
            name = key.removeprefix(PREFIX).lower()
            if name in settings:
                values[name] = _read(key, value, settings[name])
        for key, near in unknown(mapping).items():
            guess = f"; did you mean {near}?" if near else ""
            warnings.warn(f"{key} is no setting of toastkit{guess}", stacklevel=3)
        return cls(**values)


def sources(mapping: Mapping[Any, Any], place: str) -> dict[str, str]:
    """Return by what each setting of a mapping is said there, as ``Config.from_mapping`` reads it.

    ``place`` is what the mapping is called, such as ``app.config``.
    """
    names = {PREFIX + setting.name.upper(): setting.name for setting in fields(Config)}
    upper = {key.upper(): key for key in mapping if isinstance(key, str) and key.startswith(PREFIX)}
    return {names[key]: f"{said} in {place}" for key, said in upper.items() if key in names}


def sources_of_env(environ: Mapping[str, str]) -> dict[str, str]:
    """Return by what each setting of the environment is said, as ``Config.from_env`` reads it."""
    found = sources(environ, ENVIRONMENT)
    for name in _SHORT:
        if name in environ:
            found.setdefault(name.lower(), f"{name} in {ENVIRONMENT}")
    return found


def unknown(mapping: Mapping[Any, Any]) -> dict[str, str]:
    """Return each ``TOASTKIT_`` key of a mapping that is no setting, with the nearest that is.

    That is empty where none is near: a wild guess would send its reader astray.
    """
    known = [setting.name.upper() for setting in fields(Config)]
    strange = [
        key
        for key in mapping
        if isinstance(key, str) and key.startswith(PREFIX)
        if key.upper().removeprefix(PREFIX) not in known and key not in _ELSEWHERE
    ]
    return {key: _nearest(key, known) for key in strange}


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.removeprefix(PREFIX).upper(), known, n=1)
    return PREFIX + near[0] if near else ""


ENVIRONMENT = "the environment"

_SHORT = ("DATABASE_URL", "REDIS_URL")
"""Names of the environment that every program uses, and that need no prefix."""

_ELSEWHERE = frozenset({"TOASTKIT_DEMO"})
"""Keys of the same prefix that somebody else reads: example_app's switch for demo mode."""


_LIST = "tuple[str, ...]"


def _read(key: str, value: Any, setting: Field[Any]) -> Any:
    try:
        if setting.type == "bool":
            return _read_bool(value)
        if setting.type == "int":
            return int(value)
        if setting.type == "str":
            return str(value)
        if isinstance(value, bytes):
            raise TypeError(value)
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(part).strip() for part in parts if str(part).strip())
    except (TypeError, ValueError, OverflowError):
        shown = repr(value) if setting.repr else "what is set"
        raise ConfigError(f"{key}: {shown} is not {_KINDS[setting.type]}") from None


_KINDS: dict[Any, str] = {
    "bool": "1 or 0",
    "int": "a whole number",
    "str": "text",
    _LIST: "a comma separated list",
}


def _read_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(value)
