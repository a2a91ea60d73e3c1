"""How many of 2,560 pushes over one connection get their answer, asked for by 64 threads.

``python -m tests.bench.shared_client``: one httpx2 client that all of them share, and our sender.
Why toastkit.senders.apns speaks HTTP/2 by itself.
"""

import ssl
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.apple.papers import Papers
from tests.apple.server import Apple
from toastkit.clock import SystemClock
from toastkit.senders.apns import ApnsSettings
from toastkit.senders.apns.lines import Lines
from toastkit.senders.apns.token import ProviderToken

THREADS, EACH = 64, 40
INTERVALS = {"Python's switch interval": 0.005, "that of our gunicorn hooks": 0.0001}
PATH = "/3/device/" + "ab" * 32
ALERT = b'{"aps": {"alert": {"title": "Build #142 passed"}}, "toast": {"id": "1"}}'

Headers = dict[str, str]
Post = Callable[[Headers], int]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        papers = Papers(Path(folder))
        for name, interval in INTERVALS.items():
            sys.setswitchinterval(interval)
            for contender in (_httpx2, _ours):
                with Apple(papers) as apple:
                    answered = _answered(apple, contender)
                total = THREADS * EACH
                print(f"{name}: {contender.__name__[1:]} {answered:,} of {total:,} answered")


def _answered(apple: Apple, contender: Callable[[Apple], Post]) -> int:
    post, token = contender(apple), _token(apple)
    statuses: list[int] = []

    def ask() -> None:
        for _ in range(EACH):
            try:
                statuses.append(post(_headers(token)))
            except Exception:  # noqa: BLE001 - what is counted is who got an answer
                statuses.append(0)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses.count(200)


def _httpx2(apple: Apple) -> Post:
    trust = ssl.create_default_context(cafile=str(apple.papers.ca_file))
    client = httpx2.Client(http2=True, http1=False, verify=trust, timeout=10)
    url = f"https://{apple.host}{PATH}"
    return lambda headers: client.post(url, headers=headers, content=ALERT).status_code


def _ours(apple: Apple) -> Post:
    lines = Lines(_settings(apple).trust(), 10)

    def post(headers: Headers) -> int:
        return lines.line(apple.host).ask(PATH, tuple(headers.items()), ALERT).status

    return post


def _headers(token: str) -> Headers:
    return {
        "authorization": f"bearer {token}",
        "apns-id": str(uuid.uuid4()),
        "apns-topic": "com.bairisland.manticscore",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": "0",
    }


def _token(apple: Apple) -> str:
    return ProviderToken(_settings(apple), SystemClock()).current()


def _settings(apple: Apple) -> ApnsSettings:
    given = {name.removeprefix("apns_"): value for name, value in apple.config().items()}
    return ApnsSettings(**given)


if __name__ == "__main__":
    main()
