"""Places between the steps of a publish, and of a push, where a test may end a process."""

import functools

from toastkit.backplane import MemoryBackplane
from toastkit.backplane.redis import RedisBackplane
from toastkit.backplane.redis.hearing import Hearing
from toastkit.backplane.redis.speaking import Speaking
from toastkit.publishing import Publisher
from toastkit.publishing.posting import Senders
from toastkit.storage.deliveries import Deliveries
from toastkit.storage.group import Committer
from toastkit.storage.inbox import Inbox

PLACES = {
    "commit": (Committer, "commit"),
    "tell": (MemoryBackplane, "broadcast"),
    "mark": (Inbox, "mark"),
    "relay": (Publisher, "relay"),
    "claim": (Inbox, "claim_due"),
}
PUSH_PLACES = {
    "owe": (Deliveries, "owe"),
    "claim of a push": (Deliveries, "claim"),
    "post": (Senders, "post"),
    "settle": (Deliveries, "settle"),
}
REDIS_PLACES = {
    "tell through Redis": (RedisBackplane, "broadcast"),
    "publish in Redis": (Speaking, "event"),
    "hear of another": (Hearing, "event"),
    "answer another": (Speaking, "answer"),
}
POINTS = [f"{when} {place}" for place in PLACES for when in ("before", "after")]
REDIS_POINTS = [f"{when} {place}" for place in REDIS_PLACES for when in ("before", "after")]
PUSH_POINTS = [f"{when} {place}" for place in PUSH_PLACES for when in ("before", "after")]


def install(hit, patch=setattr):
    """Call ``hit`` with the name of each point whenever it is passed."""
    for place, (owner, name) in (PLACES | PUSH_PLACES | REDIS_PLACES).items():
        patch(owner, name, _watched(getattr(owner, name), place, hit))


def _watched(original, place, hit):
    @functools.wraps(original)
    def watched(*given, **named):
        hit(f"before {place}")
        result = original(*given, **named)
        hit(f"after {place}")
        return result

    return watched
