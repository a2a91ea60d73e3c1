"""Redis: whether it is there, lets toastkit do what it must, and has room."""

from __future__ import annotations

import ipaddress
import statistics
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .findings import Finding, fail, ok, warn
from .patient import Facts, Patient, RedisFacts

if TYPE_CHECKING:
    from redis import Redis

NAME = "redis"

CONNECT_SECONDS, ANSWER_SECONDS = 0.5, 2.0
PINGS = 5

OLDEST = (6, 2)
"""Older ones lack commands of toastkit's scripts."""

FAR_MS = 20.0
"""A publish waits for Redis once or twice; what is nearer nobody notices."""

MORE_CLIENTS = "raise maxclients; a worker opens three"

LITTLE_BUFFER = 1 << 20
FULL = 0.9

RIGHTS = (
    "ACL SETUSER … ~toastkit:* &toastkit:* +@pubsub +@scripting +@read +@write +@connection "
    "-@dangerous +client|kill +info, with the prefix of TOASTKIT_REDIS_PREFIX"
)


def place_of(url: str) -> str:
    """Return a URL as it may be shown: without its password."""
    try:
        parts = urlsplit(url)
        where = parts.hostname or ""
        where += f":{parts.port}" if parts.port else ""
    except ValueError:
        return "set"
    return f"{parts.scheme}://{where}{parts.path}" if parts.scheme else "set"


def gather(patient: Patient) -> RedisFacts | None:
    """Look at the Redis that the settings name; changes nothing."""
    url = patient.config.redis_url
    if not url:
        return None
    place = place_of(url)
    try:
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        return RedisFacts(place, "the package for it is not installed")
    try:
        client = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:  # its words may be those of the password
        return RedisFacts(place, "the URL is none")
    with closing(client):
        try:
            return _look(client, patient, place)
        except RedisError as error:
            return RedisFacts(place, _why(error, url))


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether workers can hear each other through it."""
    found = facts.redis
    if found is None:
        return
    if found.trouble:
        yield fail(NAME, f"{found.place} cannot be used: {found.trouble}", _remedy(found.trouble))
        return
    if not found.version:
        yield ok(NAME, f"{found.place} answers in {found.ping_ms:.1f} ms; it tells no more")
    else:
        yield ok(
            NAME, f"{found.kind} {found.version} at {found.place}, {found.ping_ms:.1f} ms away"
        )
    if found.workers:
        hear = "1 process hears" if found.workers == 1 else f"{found.workers} processes hear"
        yield ok(NAME, f"{hear} {found.name} now")
    yield from _check_reach(found)
    yield from _check_server(found)
    yield from _check_room(found)


def _look(client: Redis, patient: Patient, place: str) -> RedisFacts:
    from redis import RedisError

    from ..backplane.redis.keys import Keys

    config, took = patient.config, []
    client.ping()
    for _ in range(PINGS):
        begun = patient.clock.monotonic()
        client.ping()
        took.append(patient.clock.monotonic() - begun)
    # Heard by nobody; only to know whether it may be said.
    client.publish(f"{config.redis_prefix}:doctor:{uuid.uuid4().hex}", "")
    given = client.get_connection_kwargs()
    keys = Keys(config.redis_prefix, int(given.get("db") or 0))
    told: dict[str, Any] = {}
    buffers = ""
    # A server that somebody else runs may tell neither.
    with suppress(RedisError):
        told = client.info()
    with suppress(RedisError):
        buffers = str(client.config_get("client-output-buffer-limit").popitem()[1])
    listening = client.pubsub_numsub(keys.workers)
    return RedisFacts(
        place,
        kind="Valkey" if "valkey_version" in told else "Redis",
        version=str(told.get("valkey_version") or told.get("redis_version", "")),
        speaks=str(told.get("redis_version", "")),
        name=f"{keys.prefix}:{keys.database}",
        workers=int(listening[0][1]) if listening else 0,
        ping_ms=statistics.median(took) * 1000,
        replica=told.get("role") == "slave",
        cluster=bool(told.get("cluster_enabled")),
        policy=str(told.get("maxmemory_policy", "")),
        used=int(told.get("used_memory", 0)),
        most=int(told.get("maxmemory", 0)),
        clients=int(told.get("connected_clients", 0)),
        most_clients=int(told.get("maxclients", 0)),
        buffer=_hard_limit(buffers),
        open_to_all=_is_open(given),
    )


def _hard_limit(text: str) -> int:
    """Return how many bytes may wait for a listener; 0: any."""
    words = text.split()
    with suppress(ValueError, IndexError):
        return int(words[words.index("pubsub") + 1])
    return 0


def _is_open(given: dict[str, Any]) -> bool:
    """Tell whether it is elsewhere and was reached without a password."""
    host = str(given.get("host", ""))
    if given.get("password") or "path" in given or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _why(error: Exception, url: str) -> str:
    from redis.exceptions import AuthenticationError, NoPermissionError, ReadOnlyError, TimeoutError

    if isinstance(error, AuthenticationError):
        return "it wants a password" if "required" in str(error) else "it refuses the password"
    if isinstance(error, NoPermissionError):
        return "its user may not do what toastkit must"
    if isinstance(error, TimeoutError):
        return "no answer in time" + (" to a TLS handshake" if url.startswith("rediss") else "")
    if isinstance(error, ReadOnlyError):
        return "it is a replica"
    return " ".join(str(error).split()).rstrip(".")


def _remedy(trouble: str) -> str:
    if "package" in trouble:
        return "pip install 'redis[hiredis]'"
    if "password" in trouble:
        return "redis://:PASSWORD@host:6379/0, or redis://USER:PASSWORD@…, in TOASTKIT_REDIS_URL"
    if "user" in trouble:
        return RIGHTS
    if "certificate" in trouble:
        return "name the authority it was made by: rediss://host:6379/0?ssl_ca_certs=/path/ca.pem"
    if "number of clients" in trouble:
        return MORE_CLIENTS
    if "URL" in trouble:
        return "TOASTKIT_REDIS_URL is like redis://host:6379/0, rediss:// with TLS, unix:///path"
    return "start it, or correct TOASTKIT_REDIS_URL (rediss:// where it speaks TLS, else redis://)"


def _check_reach(found: RedisFacts) -> Iterator[Finding]:
    if found.replica:
        yield fail(NAME, "it is a replica, and takes no writes", "name its primary")
    if found.cluster:
        yield warn(
            NAME,
            "it is a node of a cluster: toastkit speaks to that node alone",
            "name a server that is none",
        )
    if found.open_to_all:
        yield warn(
            NAME,
            "it asks for no password, and is on another machine: whoever reaches it can read and "
            "forge what is told",
            "requirepass, or a user of its own, and a network that is nobody else's",
        )
    if found.ping_ms > FAR_MS:
        yield warn(
            NAME,
            f"it is {found.ping_ms:.0f} ms away, and each publish waits for it",
            "run one near the workers",
        )


def _check_server(found: RedisFacts) -> Iterator[Finding]:
    version = tuple(int(part) for part in found.speaks.split(".")[:2] if part.isdecimal())
    if version and version < OLDEST:
        yield warn(
            NAME,
            f"{found.kind} {found.version} is older than toastkit is tried with",
            f"upgrade it to {'.'.join(map(str, OLDEST))} or newer",
        )
    if 0 < found.buffer < LITTLE_BUFFER:
        yield warn(
            NAME,
            f"it cuts off who has {found.buffer} bytes to hear: a burst ends a worker's hearing "
            "again and again",
            "CONFIG SET client-output-buffer-limit 'pubsub 32mb 8mb 60', its default",
        )


def _check_room(found: RedisFacts) -> Iterator[Finding]:
    if found.most and found.policy not in {"", "noeviction"}:
        yield warn(
            NAME,
            f"when it is full it forgets keys ({found.policy}): who is present, short history, rates",
            "maxmemory-policy noeviction, or a Redis for toastkit alone",
        )
    if found.most and found.used > FULL * found.most:
        full = found.used >= found.most and found.policy == "noeviction"
        yield (fail if full else warn)(
            NAME,
            f"{found.used >> 20} of {found.most >> 20} MiB are in use",
            "raise maxmemory, or see what else is in it: redis-cli --bigkeys",
        )
    if found.most_clients and found.clients > FULL * found.most_clients:
        yield warn(
            NAME,
            f"{found.clients} of {found.most_clients} connections are in use",
            MORE_CLIENTS,
        )
