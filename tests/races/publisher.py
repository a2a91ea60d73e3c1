"""Publish what each line of stdin says, in a process of its own: ``python -m`` URL [REDIS_URL]."""

import json
import sys

from msgspec.json import encode

from toastkit import Config, Kit
from toastkit.errors import StorageUnavailable


def main(url, redis_url=""):
    """Answer each JSON line of arguments with the receipt, or with what went wrong."""
    with Kit(Config(database_url=url, redis_url=redis_url)) as kit:
        print("ready", flush=True)
        for line in sys.stdin:
            try:
                answer = encode(kit.publish_toast(**json.loads(line))).decode()
            except StorageUnavailable as error:
                answer = json.dumps({"status": "error", "id": str(error)})
            print(answer, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
