"""Push with the real apns2 0.7.2, in its own environment: nothing but that may be imported here.

Called with HOST PORT CA_FILE KEY_FILE KEY_ID TEAM_ID; reads one push a line, as JSON, and writes
what apns2 made of the answer: null, or the name of its exception and what came with it.
"""

# ruff: noqa: E402
import collections
import collections.abc
import json
import ssl
import sys

# What hyper and its h2 take for granted was removed from Python 3.10 and 3.12.
for name in ("Iterable", "Mapping", "MutableMapping", "MutableSet", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))
if not hasattr(ssl, "match_hostname"):
    ssl.match_hostname = lambda *_: None

from apns2.client import APNsClient, NotificationPriority
from apns2.credentials import TokenCredentials
from apns2.errors import APNsException
from apns2.payload import Payload, PayloadAlert
from hyper import HTTP20Connection


class Credentials(TokenCredentials):
    """Connect to our Apple; which host apns2 would take is written into it."""

    def create_connection(self, *_):
        host, port, ca_file = sys.argv[1:4]
        context = ssl.create_default_context(cafile=ca_file)
        context.set_alpn_protocols(["h2"])
        return HTTP20Connection(host, int(port), ssl_context=context, secure=True)


def push(client, wanted):
    alert = PayloadAlert(title=wanted["title"], body=wanted["body"])
    payload = Payload(alert=alert, sound=wanted["sound"], custom={"toast": wanted["toast"]})
    try:
        client.send_notification(
            wanted["token"],
            payload,
            wanted["topic"],
            priority=NotificationPriority(wanted["priority"]),
            expiration=wanted["expiration"],
            collapse_id=wanted["collapse_id"],
        )
    except APNsException as error:
        return [type(error).__name__, getattr(error, "timestamp", None)]
    return None


def main():
    key_file, key_id, team_id = sys.argv[4:]
    client = APNsClient(Credentials(key_file, key_id, team_id))
    for line in sys.stdin:
        print(json.dumps(push(client, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
